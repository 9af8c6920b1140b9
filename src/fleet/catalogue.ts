// Which models there are, under which names, and which backends serve them: the fleet file and what discovery found,
// put together. Pure; built anew whenever either changes.
import { type EngineName, engines } from '../engines/index.ts';
import { type Capabilities, capabilityNames, endpointNames, mergeCapabilities } from './capabilities.ts';
import type { Backend, Fleet } from './fleet.ts';
import { type Discovery, type Offer, offersOf } from './offers.ts';

export interface Catalogue {
  /** By canonical public name; the fleet file's models first, in its order, then discovered ones by name. */
  readonly models: ReadonlyMap<string, Model>;
  /** Every other name a caller may use → canonical name. */
  readonly aliases: ReadonlyMap<string, string>;
}

export interface Model {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly members: readonly Member[];
}

/** A backend that serves a model. */
export interface Member {
  readonly backend: Backend;
  readonly engine: EngineName;
  /** The backend's own name for the model. */
  readonly name: string;
  readonly contextTokens?: number;
  readonly can: Capabilities;
}

export function buildCatalogue(fleet: Fleet, discoveryOf: (backend: Backend) => Discovery): Catalogue {
  const aliases = new Map<string, string>();
  for (const [name, settings] of fleet.models) {
    for (const alias of settings.aliases) aliases.set(alias, name);
  }
  const named = new Map<string, Member[]>([...fleet.models.keys()].map((name) => [name, []]));
  const found = new Map<string, Member[]>();
  const shortNames = new Map<string, string>();
  for (const backend of fleet.backends) {
    if (backend.state === 'disabled') continue;
    const discovery = discoveryOf(backend);
    for (const offer of offersOf({ fleet, aliases, backend, discovery })) {
      const list = named.get(offer.model) ?? found.get(offer.model) ?? [];
      if (!named.has(offer.model)) found.set(offer.model, list);
      if (list.some((member) => member.backend === backend)) continue;
      list.push(memberOf(fleet, backend, discovery, offer));
      for (const short of offer.discovered?.aliases ?? []) shortNames.set(short, offer.model);
    }
  }
  // What the file says that an entry serves is known also while nobody is found who does.
  for (const { template } of fleet.groups)
    for (const name of template.state === 'disabled' ? [] : (template.models ?? [])) {
      const model = aliases.get(name) ?? name;
      if (!named.has(model) && !found.has(model)) found.set(model, []);
    }
  const sorted = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const all = new Map([...named, ...sorted]);
  for (const [short, name] of shortNames) {
    if (!all.has(short) && !aliases.has(short)) aliases.set(short, name);
  }
  return {
    aliases,
    models: new Map(
      [...all].map(([name, members]) => [name, { name, members, aliases: fleet.models.get(name)?.aliases ?? [] }]),
    ),
  };
}

/** Yes when one member can, no when all are known not to; otherwise nobody knows. */
export function combinedCapabilities({ members }: Model): Capabilities {
  const known: [string, boolean][] = [];
  for (const name of capabilityNames) {
    if (members.some((member) => member.can[name] === true)) known.push([name, true]);
    else if (members.length > 0 && members.every((member) => member.can[name] === false)) known.push([name, false]);
  }
  return Object.fromEntries(known);
}

/** Tokens; undefined where no member tells. */
export function largestContext({ members }: Model): number | undefined {
  const largest = Math.max(0, ...members.map((member) => member.contextTokens ?? 0));
  return largest === 0 ? undefined : largest;
}

function memberOf(fleet: Fleet, backend: Backend, discovery: Discovery, offer: Offer): Member {
  const settings = fleet.models.get(offer.model);
  const engine = discovery.engine ?? 'openai';
  const contextTokens = backend.contextTokens ?? settings?.contextTokens ?? offer.discovered?.contextTokens;
  return {
    backend,
    engine,
    name: offer.name,
    ...(contextTokens === undefined ? {} : { contextTokens }),
    can: mergeCapabilities(
      offer.discovered?.can,
      settings?.capabilities,
      backend.capabilities,
      missingEndpoints(engine),
    ),
  };
}

/** No declaration gives an engine an endpoint it does not have. */
function missingEndpoints(engine: EngineName): Capabilities {
  const has: ReadonlySet<string> = engines[engine].endpoints;
  return Object.fromEntries(endpointNames.filter((name) => !has.has(name)).map((name) => [name, false]));
}
