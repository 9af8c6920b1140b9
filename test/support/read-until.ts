// The beginning of an answer that goes on.

/** Reads on until the answer holds `mark`; the caller is still there then. */
export async function readUntil({ body }: Response, mark: string) {
  const reader = body?.getReader();
  if (reader === undefined) throw new Error('no body');
  for (let text = ''; !text.includes(mark); ) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ended without ${mark}`);
    text += Buffer.from(value).toString();
  }
  return reader;
}
