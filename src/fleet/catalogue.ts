// Which models there are, under which names, and which backends serve them: the fleet file and what discovery found,
// put together. Pure; built anew whenever either changes.
import type { DiscoveredModel } from '../engines/engine.ts';
import { type EngineName, engines } from '../engines/index.ts';
import { type Capabilities, endpointNames, mergeCapabilities } from './capabilities.ts';
import type { Backend, Fleet } from './fleet.ts';

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

/** What is known of a backend at run time; undefined models: never discovered. */
export interface Discovery {
  readonly engine: EngineName | undefined;
  readonly models: readonly DiscoveredModel[] | undefined;
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
    for (const offer of offers(fleet, backend, discovery, aliases)) {
      const list = named.get(offer.model) ?? found.get(offer.model) ?? [];
      if (!named.has(offer.model)) found.set(offer.model, list);
      if (list.some((member) => member.backend === backend)) continue;
      list.push(memberOf(fleet, backend, discovery, offer));
      for (const short of offer.discovered?.aliases ?? []) shortNames.set(short, offer.model);
    }
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

interface Offer {
  readonly model: string;
  /** The backend's own name. */
  readonly name: string;
  readonly discovered: DiscoveredModel | undefined;
}

function offers(fleet: Fleet, backend: Backend, discovery: Discovery, aliases: ReadonlyMap<string, string>): Offer[] {
  const models = discovery.models ?? [];
  if (backend.models !== undefined) {
    return backend.models.map((public_) => {
      const model = aliases.get(public_) ?? public_;
      const mapped = fleet.models.get(model)?.backendNames.get(backend.name);
      const discovered =
        findDiscovered(models, mapped ?? public_) ?? (mapped === undefined ? soleModel(discovery) : undefined);
      return { model, name: discovered?.id ?? mapped ?? public_, discovered };
    });
  }
  const offers: Offer[] = [];
  // A mapped name is published under its public name only, and also before discovery.
  const mapped = new Set<string>();
  for (const [model, settings] of fleet.models) {
    const name = settings.backendNames.get(backend.name);
    if (name === undefined) continue;
    const discovered = findDiscovered(models, name);
    mapped.add(discovered?.id ?? name);
    offers.push({ model, name: discovered?.id ?? name, discovered });
  }
  for (const discovered of models) {
    if (mapped.has(discovered.id)) continue;
    const known = [discovered.id, ...(discovered.aliases ?? [])].find(
      (name) => fleet.models.has(name) || aliases.has(name),
    );
    const model = known === undefined ? discovered.id : (aliases.get(known) ?? known);
    offers.push({ model, name: discovered.id, discovered });
  }
  return offers;
}

function findDiscovered(models: readonly DiscoveredModel[], name: string): DiscoveredModel | undefined {
  return models.find((model) => model.id === name) ?? models.find((model) => model.aliases?.includes(name));
}

/** Engines that serve whatever name is asked under the one model they have loaded: that one is meant. */
function soleModel({ engine, models }: Discovery): DiscoveredModel | undefined {
  if (engine === undefined || engines[engine].modelNames === 'checked') return undefined;
  return models?.length === 1 ? models[0] : undefined;
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
