// Replies of Redis in the shapes that these tests read; a reply in another shape is a failure.

export function textOf(reply: unknown): string {
  if (typeof reply !== 'string') throw new Error(`not a text: ${JSON.stringify(reply)}`);
  return reply;
}

export function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new Error(`not a list: ${JSON.stringify(reply)}`);
  return reply;
}

/** Names and values in turn, as Sentinel describes what it watches. */
export function fieldsOf(reply: unknown): ReadonlyMap<string, string> {
  const list = listOf(reply).map(textOf);
  const fields = new Map<string, string>();
  for (let n = 0; n + 1 < list.length; n += 2) fields.set(list[n] ?? '', list[n + 1] ?? '');
  return fields;
}

/** Lines of `name:value`, as INFO and CLUSTER INFO answer. */
export function infoOf(reply: unknown): ReadonlyMap<string, string> {
  const pairs = [...textOf(reply).matchAll(/^(\w+):(.*?)\r?$/gm)];
  return new Map(pairs.map(([, name = '', value = '']) => [name, value]));
}
