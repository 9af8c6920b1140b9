// Rendered manifests and other YAML as values to look into: a path says where, and what is not there is undefined.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { type LoadedFleet, loadFleet, type RefusedFleet } from '../../src/config/load.ts';
import { root } from './places.ts';

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** With `<<`, as Compose reads it. */
export function yamlOf(path: string): unknown {
  return parse(textOf(path), { merge: true });
}

export function documentsOf(text: string): readonly unknown[] {
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((value) => value !== null);
}

/** `at(value, 'spec', 'containers', 0)`. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function entriesAt(
  value: unknown,
  ...path: readonly (string | number)[]
): readonly (readonly [string, unknown])[] {
  const found = at(value, ...path);
  return typeof found === 'object' && found !== null ? Object.entries(found) : [];
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  if (typeof found !== 'string') throw new Error(`no text at ${path.join('.')}: ${JSON.stringify(found)}`);
  return found;
}

export function ofKind(documents: readonly unknown[], kind: string, name?: string): unknown {
  const found = documents.find(
    (one) => at(one, 'kind') === kind && (name === undefined || at(one, 'metadata', 'name') === name),
  );
  if (found === undefined) throw new Error(`no ${kind} ${name ?? ''}`);
  return found;
}

/** As the router would read it where it is mounted; every secret it names holds `a-secret`. */
export function readFleet(text: string): LoadedFleet | RefusedFleet {
  const readFile = () => ({ bytes: Buffer.from('a-secret'), mode: 0o440 });
  return loadFleet({ path: '/etc/switchyard/fleet.yaml', text, env: {}, readFile });
}

export function fleetOf(text: string): LoadedFleet['fleet'] {
  const loaded = readFleet(text);
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.fleet;
}
