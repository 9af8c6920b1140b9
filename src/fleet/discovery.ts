// Backends that are found instead of listed: what a group of them has in common, and the fleet that the file and what was found
// make together. Pure; who looks is src/discovery.
import type { Backend, Fleet, ModelSettings } from './fleet.ts';

export interface Group {
  /** Of the entry; its backends are called `NAME/…`. */
  readonly name: string;
  /** What they are like in all but name, URL and share. */
  readonly template: Backend;
  readonly scheme: 'http' | 'https';
  readonly source: Source;
  readonly everyMs: number;
}

export type Source =
  /** `port` where the name server does not tell one: for A and AAAA. */
  | { readonly kind: 'dns'; readonly name: string; readonly port?: number }
  /** `namespace` absent: the router's own. `port`: a number, or the name of a port of the service. */
  | {
      readonly kind: 'kubernetes';
      readonly service: string;
      readonly namespace?: string;
      readonly port: number | string;
    };

/** One server, as it was found. */
export interface Found {
  /** Within its group; stays while it is the same box. */
  readonly name: string;
  /** An address or a name; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Its share within the group; 1 is the usual one. */
  readonly share: number;
  /** It finishes what it has, and wants nothing new. */
  readonly isLeaving: boolean;
}

export type FoundByGroup = ReadonlyMap<string, readonly Found[]>;

/** Same key: the same things are found, whatever else has changed in the entry. */
export function keyOf({ name, source, everyMs }: Group): string {
  return JSON.stringify([name, source, everyMs]);
}

/**
 * The fleet of the file with the backends that were found behind those that it lists. A server that the file lists too is what
 * the file says: so one that must not be used can be listed as disabled.
 */
export function withFound(file: Fleet, found: FoundByGroup): Fleet {
  const names = new Set(file.backends.map(({ name }) => name));
  const urls = new Set(file.backends.map(({ url }) => url));
  const added: Backend[] = [];
  const groupOf = new Map<string, string>();
  for (const group of file.groups) {
    for (const one of found.get(keyOf(group)) ?? []) {
      const backend = backendOf(group, one);
      if (backend === undefined || names.has(backend.name) || urls.has(backend.url)) continue;
      names.add(backend.name);
      urls.add(backend.url);
      groupOf.set(backend.name, group.name);
      added.push(backend);
    }
  }
  if (added.length === 0) return file;
  const models = new Map([...file.models].map(([name, model]) => [name, spread(model, groupOf)]));
  return { ...file, backends: [...file.backends, ...added], models };
}

/** Absent where no URL can be made of it: a name server may tell anything. */
function backendOf({ name, template, scheme }: Group, found: Found): Backend | undefined {
  const host = found.host.includes(':') ? `[${found.host}]` : found.host;
  const url = `${scheme}://${host}:${found.port}`;
  const full = `${name}/${found.name}`;
  if (!/^[A-Za-z0-9._-]+$|^\[[0-9A-Fa-f:.]+\]$/.test(host) || !URL.canParse(url) || full.length > 256) return undefined;
  return {
    ...template,
    name: full,
    url: new URL(url).origin,
    weight: template.weight * found.share,
    ...(found.isLeaving && template.state === 'enabled' ? { state: 'draining' as const } : {}),
  };
}

/** A name that a group has for a model is the one that each of its backends has. */
function spread(model: ModelSettings, groupOf: ReadonlyMap<string, string>): ModelSettings {
  const names = new Map(model.backendNames);
  for (const [backend, group] of groupOf) {
    const name = model.backendNames.get(group);
    if (name !== undefined) names.set(backend, name);
  }
  return names.size === model.backendNames.size ? model : { ...model, backendNames: names };
}
