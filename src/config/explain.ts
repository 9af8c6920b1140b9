// What the schema found, in the file's own terms: expected and found, at the place where it stands.
import { z } from 'zod';
import { didYouMean, type Place, type Report } from './diagnostics.ts';
import { fleetSchema } from './schema.ts';
import { shownKey, type Tree } from './tree.ts';

type Issue = z.core.$ZodIssue;

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

export function explain(issue: Issue, root: Tree, report: Report): void {
  const found = find(root, issue.path);
  if (issue.code === 'unrecognized_keys') {
    // An expanded scalar comes as an object of its own, see leaves.ts.
    if (found.node?.kind === 'scalar') report.error(found.place, ...mismatch('object', found.node));
    else for (const key of issue.keys) unknownKey(key, { found, known: keysAt(issue.path) }, report);
    return;
  }
  const { node, place } = found;
  if (node?.kind === 'scalar' && node.broken) return;
  if (issue.code === 'invalid_union') {
    // A number or a list, or else a mapping or a word: which of them was meant shows in what stands there.
    const meant = issue.errors.at(node?.kind === 'map' ? -1 : 0) ?? [];
    const neither = meant.find(
      (inner) => inner.code === 'invalid_type' && oneOfTwo.has(inner.expected) && inner.path.length === 0,
    );
    if (node && neither?.code === 'invalid_type')
      report.error(
        place,
        `expected ${kinds[neither.expected] ?? neither.expected} or ${alternative(place)}, found ${foundKind(node)}`,
      );
    else for (const inner of meant) explain({ ...inner, path: [...issue.path, ...inner.path] }, root, report);
    return;
  }
  if (issue.code === 'invalid_key') {
    report.error(place, issue.issues[0]?.message ?? 'not a valid name');
    return;
  }
  const hint = issue.code === 'custom' ? hintIn(issue.params) : undefined;
  if (!node || (node.kind === 'scalar' && node.value === null))
    report.error(place, 'required', requiredHint(place.path));
  else report.error(place, ...wording(issue, node, hint));
}

/** What may stand in place of a mapping or a word, by what is expected of the other way to write it. */
const oneOfTwo: ReadonlySet<string> = new Set(['number', 'array']);

function alternative({ path }: Place): string {
  if (path.endsWith('kubernetes.port')) return 'the name of a port';
  return path.endsWith('max_in_flight') ? 'auto' : 'a mapping';
}

function wording(issue: Issue, node: Tree, hint: string | undefined): readonly [message: string, hint?: string] {
  if (issue.code === 'invalid_type') return mismatch(issue.expected, node);
  if (issue.code === 'invalid_value') return choice(issue.values.map(String), node);
  if (issue.code === 'too_small') {
    return [`must be ${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`];
  }
  if (issue.code === 'too_big') return [`must be at most ${issue.maximum}`];
  return hint === undefined ? [issue.message] : [issue.message, hint];
}

function mismatch(expected: string, node: Tree): readonly [message: string, hint?: string] {
  const isNumber = node.kind === 'scalar' && typeof node.value === 'number';
  const said = `expected ${kinds[expected] ?? expected}, found ${foundKind(node)}`;
  if (expected === 'string' && isNumber) return [said, unitHint(node) ?? 'put it in quotes'];
  return node.place.path === 'shared_state.tls' ? [said, 'write tls: {} for TLS with the CAs of the system'] : [said];
}

function choice(options: readonly string[], node: Tree): readonly [message: string, hint?: string] {
  // What came out of a variable is not shown.
  const word = node.kind === 'scalar' && !node.fromEnv ? node.text : '';
  const meant = didYouMean(word, options);
  if (options.length === 1) return [`expected ${options.join('')}`, 'this is the only version there is'];
  const expected = `expected one of ${options.join(', ')}`;
  if (meant === undefined || shownKey(word) === '') return [`${expected}, found ${foundKind(node)}`];
  return [`${expected}, found${shownKey(word)}`, `did you mean "${meant}"?`];
}

function unitHint(node: Tree): string | undefined {
  const last = node.place.path.split('.').at(-1) ?? '';
  if (last === 'max_body' || last === 'buffered') return 'add a unit: 512KiB, 8MiB, 1GB';
  return durationFields.has(last) ? 'add a unit: 250ms, 20s, 5m, 1h' : undefined;
}

const durationFields: ReadonlySet<string> = new Set([
  'every',
  'drain_delay',
  'drain_timeout',
  'event_loop_delay',
  'interval',
  'timeout',
  'connect',
  'first_byte',
  'first_byte_plain',
  'gap',
  'total',
  'window',
  'open_for',
  'open_max',
  'first_token',
  'max_wait',
  'slow_start',
  'stall_after',
]);

function foundKind(node: Tree): string {
  if (node.kind !== 'scalar') return node.kind === 'list' ? 'a list' : 'a mapping';
  if (typeof node.value === 'number') return 'a number';
  if (typeof node.value === 'boolean') return 'true or false';
  return node.value === null ? 'nothing' : 'text';
}

function requiredHint(path: string): string | undefined {
  if (path === 'version') return 'write version: 1';
  if (path === 'shared_state.sentinel.primary') return 'the name the sentinels know it by';
  if (/\.model_limits[.[]/.test(path)) return 'write {} for no limits, or remove it';
  return path === 'backends' ? 'a list of at least one - url: http://HOST:PORT' : undefined;
}

function hintIn(params: unknown): string | undefined {
  const hint = typeof params === 'object' && params !== null && 'hint' in params ? params.hint : undefined;
  return typeof hint === 'string' ? hint : undefined;
}

function unknownKey(
  key: string,
  at: { readonly found: Found; readonly known: readonly string[] },
  report: Report,
): void {
  const { node, place } = at.found;
  const keyPlace = node?.kind === 'map' ? node.entries.get(key)?.keyPlace : undefined;
  const meant = didYouMean(key, at.known);
  // Below these a key may be a secret with its space forgotten; only what resembles a field is shown there.
  const shown = meant === undefined && /(?:^|\.)(?:auth|shared_state)\b/.test(place.path) ? '' : shownKey(key);
  report.error(
    keyPlace ?? place,
    `unknown key${shown}`,
    meant === undefined ? `known: ${at.known.join(', ')}` : `did you mean "${meant}"?`,
  );
}

interface Found {
  readonly node: Tree | undefined;
  /** Of the node, or where it is missing of the nearest thing around it; the path is always its own. */
  readonly place: Place;
}

function find(root: Tree, path: readonly PropertyKey[]): Found {
  let node: Tree | undefined = root;
  let place = root.place;
  for (const step of path) {
    const next: Tree | undefined =
      node?.kind === 'map'
        ? node.entries.get(String(step))?.node
        : node?.kind === 'list'
          ? node.items[Number(step)]
          : undefined;
    const name = `${place.path}${place.path === '' ? '' : '.'}${String(step)}`;
    place = next?.place ?? { ...place, path: name };
    node = next;
  }
  return { node, place };
}

function keysAt(path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = fleetSchema;
  for (const step of path) {
    const inner = unwrap(schema);
    if (inner instanceof z.ZodObject) schema = inner.shape[String(step)];
    else if (inner instanceof z.ZodArray) schema = inner.element;
    else if (inner instanceof z.ZodRecord) schema = inner.valueType;
    else return [];
  }
  const inner = unwrap(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional) return unwrap(schema.unwrap());
  // Only the mapping, which stands last, has keys.
  return schema instanceof z.ZodUnion ? schema.options.at(-1) : schema;
}
