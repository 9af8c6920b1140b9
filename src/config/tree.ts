// The fleet file as a tree that knows where everything stands: `${VAR}` expanded, duplicate keys reported, no YAML left.
// Both the schema and the checks across fields read it, so that one broken field hides nothing elsewhere.
import { isMap, isScalar, isSeq, type ParsedNode } from 'yaml';
import { nowhere, type Place, type Report } from './diagnostics.ts';
import { type Env, interpolate } from './interpolate.ts';

export type Tree = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** As written, after expansion; what a field that holds text takes. */
  readonly text: string;
  /** Whether `${…}` was expanded in it: then its text may stand for any type of value. */
  readonly expanded: boolean;
  /** Holds something from the environment; such text is never shown. */
  readonly fromEnv: boolean;
  /** Already reported; nothing more is to be said about it. */
  readonly broken: boolean;
}

export interface ListNode {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly Tree[];
}

export interface MapNode {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  readonly keyPlace: Place;
  readonly node: Tree;
}

interface Growth {
  readonly env: Env;
  readonly report: Report;
  position(offset: number): { readonly line: number; readonly col: number };
}

/** `at` stands in where a node has no text of its own. */
export function growTree(node: ParsedNode | null, at: Place, growth: Growth): Tree {
  const own = node && !(isScalar(node) && node.source === '' && node.type === 'PLAIN') ? node.range[0] : undefined;
  const place: Place = own === undefined ? at : { ...growth.position(own), path: at.path };
  if (isScalar(node)) return scalar(node.value, node.source, node.type === 'PLAIN', { place, growth });
  if (isSeq(node)) {
    const items = node.items.map((item, index) => growTree(item, { ...place, path: `${at.path}[${index}]` }, growth));
    return { kind: 'list', place, items };
  }
  if (isMap(node)) {
    const entries = new Map<string, Entry>();
    for (const pair of node.items) {
      const keyPlace: Place = { ...growth.position(pair.key.range[0]), path: at.path };
      const key = isScalar(pair.key) ? (pair.key.source ?? '') : '';
      const earlier = entries.get(key);
      if (key === '' || key === '__proto__')
        growth.report.error(keyPlace, 'this cannot be a key', 'a key is a plain word');
      else if (earlier)
        growth.report.error(keyPlace, `duplicate key${shownKey(key)}`, `it is on line ${earlier.keyPlace.line} too`);
      else
        entries.set(key, { keyPlace, node: growTree(pair.value, { ...keyPlace, path: join(at.path, key) }, growth) });
    }
    return { kind: 'map', place, entries };
  }
  // Nothing at all, or an alias, which parse.ts has reported.
  return { kind: 'scalar', place, value: null, text: '', expanded: false, fromEnv: false, broken: node !== null };
}

function scalar(
  raw: unknown,
  source: string | undefined,
  isPlain: boolean,
  { place, growth }: { readonly place: Place; readonly growth: Growth },
): ScalarNode {
  const text = typeof raw === 'string' ? raw : (source ?? '');
  const expanded = interpolate(text, growth.env);
  if (!expanded) {
    const value = typeof raw === 'number' || typeof raw === 'boolean' || raw === null ? raw : text;
    return { kind: 'scalar', place, value, text, expanded: false, fromEnv: false, broken: false };
  }
  for (const { message, hint } of expanded.problems) growth.report.error(place, message, hint);
  const value = expanded.text === '' ? null : isPlain ? resolve(expanded.text) : expanded.text;
  const broken = expanded.problems.length > 0;
  return { kind: 'scalar', place, value, text: expanded.text, expanded: true, fromEnv: expanded.fromEnv, broken };
}

// What an unquoted scalar means in YAML 1.2, for text that came out of a variable.
function resolve(text: string): ScalarNode['value'] {
  if (/^(?:~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  return /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : text;
}

function join(path: string, key: string): string {
  const isWord = /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key);
  if (isWord) return path === '' ? key : `${path}.${key}`;
  return `${path}[${JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key)}]`;
}

/** ` "name"` for a message, or nothing where the key does not look like one: a forgotten space turns a secret into a key. */
export function shownKey(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,29}$/.test(key) && !/\d{3}/.test(key) ? ` "${key}"` : '';
}

/** What stands there, if anything does: an empty value counts as left out. */
export function child(node: Tree | undefined, ...path: readonly string[]): Tree | undefined {
  let found = node;
  for (const key of path) found = found?.kind === 'map' ? found.entries.get(key)?.node : undefined;
  return found?.kind === 'scalar' && found.value === null && !found.broken ? undefined : found;
}

/** The text of a field that holds text; absent where something else stands. */
export function textAt(node: Tree | undefined, ...path: readonly string[]): string | undefined {
  const found = child(node, ...path);
  return found?.kind === 'scalar' && !found.broken && (found.expanded || typeof found.value === 'string')
    ? found.text
    : undefined;
}

export function itemsAt(node: Tree | undefined, ...path: readonly string[]): readonly Tree[] {
  const found = child(node, ...path);
  return found?.kind === 'list' ? found.items : [];
}

export function entriesAt(node: Tree | undefined, ...path: readonly string[]): readonly (readonly [string, Entry])[] {
  const found = child(node, ...path);
  return found?.kind === 'map' ? [...found.entries] : [];
}

export function placeOf(node: Tree | undefined): Place {
  return node?.place ?? nowhere('fleet.yaml');
}
