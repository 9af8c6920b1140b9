// The configuration as it is in force, as YAML, each value with where it comes from: a line of the file, the environment, a default.
import { Document, isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Fleet } from '../fleet/fleet.ts';
import { createReport } from './diagnostics.ts';
import { effectiveConfig } from './effective.ts';
import { tight } from './format.ts';
import type { Env } from './interpolate.ts';
import { parseTree } from './parse.ts';
import { child, itemsAt, type Tree } from './tree.ts';

interface Source {
  readonly path: string;
  readonly text: string;
  readonly env: Env;
}

type Path = readonly (string | number)[];

/** Secrets are `***`. */
export function printEffective(fleet: Fleet, { path, text, env }: Source): string {
  const root = parseTree(text, env, createReport(path));
  const document = new Document(effectiveConfig(fleet));
  note(document.contents, [], (at) => originOf(at, root, { path, text, env }));
  return tight(document.toString({ lineWidth: 0, flowCollectionPadding: true }));
}

function note(node: unknown, at: Path, origin: (at: Path) => string): void {
  if (isMap(node) && node.items.length > 0) {
    for (const { key, value } of node.items) note(value, [...at, isScalar(key) ? String(key.value) : ''], origin);
  } else if (isSeq(node) && node.items.some((item) => isMap(item))) {
    for (const [index, item] of node.items.entries()) note(item, [...at, index], origin);
  } else if (isScalar(node) || isSeq(node) || isMap(node)) {
    const leaf: Node = node;
    if (!isScalar(node)) node.flow = true;
    leaf.comment = ` ${origin(at)}`;
  }
}

/** What wins over the file. */
const overrides: Readonly<Record<string, string>> = {
  'server.listen': 'SWITCHYARD_LISTEN',
  'admin.listen': 'SWITCHYARD_ADMIN_LISTEN',
  'logging.level': 'SWITCHYARD_LOG_LEVEL',
};

/** Where a value that is told under one name may stand under another. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  token: ['token_file'],
  bearer: ['bearer_file'],
  password: ['password_file', 'redis'],
  key_sha256: ['key', 'key_file'],
};

function originOf(at: Path, root: Tree | undefined, { path, env }: Source): string {
  const variable = overrides[at.join('.')];
  if (variable !== undefined && env[variable]) return variable;
  const found = lookUp(root, at) ?? (at[0] === 'backends' ? lookUp(root, ['defaults', ...at.slice(2)]) : undefined);
  if (found !== undefined) {
    const isVariable = found.kind === 'scalar' && found.fromEnv;
    return `${path}:${found.place.line}${isVariable ? ', from the environment' : ''}`;
  }
  return env['API_KEYS'] && at[0] === 'auth' && (at[1] === 'keys' || at[1] === 'mode') ? 'API_KEYS' : 'default';
}

function lookUp(root: Tree | undefined, at: Path): Tree | undefined {
  const last = at.at(-1);
  const owner = at.slice(0, -1).reduce<Tree | undefined>((node, part) => step(node, part), root);
  const names = [last ?? '', ...(typeof last === 'string' ? (otherNames[last] ?? []) : [])];
  return names.map((name) => step(owner, name)).find((node) => node !== undefined);
}

function step(node: Tree | undefined, part: string | number): Tree | undefined {
  return typeof part === 'number' ? itemsAt(node)[part] : child(node, part);
}
