// Under which public names a backend offers which of its models. Pure.
import type { DiscoveredModel } from '../engines/engine.ts';
import { type EngineName, engines } from '../engines/index.ts';
import type { Backend, Fleet } from './fleet.ts';

/** What is known of a backend at run time; undefined models: never discovered. */
export interface Discovery {
  readonly engine: EngineName | undefined;
  readonly models: readonly DiscoveredModel[] | undefined;
}

export interface Offer {
  /** Canonical public name. */
  readonly model: string;
  /** The backend's own name. */
  readonly name: string;
  readonly discovered: DiscoveredModel | undefined;
}

/** What is offered, and by the side of what. */
export interface Offerer {
  readonly fleet: Fleet;
  /** The fleet file's aliases → canonical names. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly backend: Backend;
  readonly discovery: Discovery;
}

export function offersOf(offerer: Offerer): readonly Offer[] {
  const { models } = offerer.backend;
  if (models !== undefined) return models.map((name) => namedOffer(name, offerer));
  const mapped = mappedOffers(offerer);
  const taken = new Set(mapped.map(({ name }) => name));
  return [...mapped, ...discoveredOffers(offerer).filter(({ name }) => !taken.has(name))];
}

/** The fleet file says that this backend serves it. */
function namedOffer(publicName: string, { fleet, aliases, backend, discovery }: Offerer): Offer {
  const model = aliases.get(publicName) ?? publicName;
  const mapped = fleet.models.get(model)?.backendNames.get(backend.name);
  const sole = mapped === undefined ? soleModel(discovery) : undefined;
  const discovered = findDiscovered(discovery.models, mapped ?? publicName) ?? sole;
  return { model, name: discovered?.id ?? mapped ?? publicName, discovered };
}

/** The fleet file maps a model to a name of this backend: published under its public name only, also before discovery. */
function mappedOffers({ fleet, backend, discovery }: Offerer): readonly Offer[] {
  return [...fleet.models].flatMap(([model, { backendNames }]) => {
    const name = backendNames.get(backend.name);
    if (name === undefined) return [];
    const discovered = findDiscovered(discovery.models, name);
    return [{ model, name: discovered?.id ?? name, discovered }];
  });
}

/** What the backend itself announces; a name of its own that the fleet file knows means that model. */
function discoveredOffers({ fleet, aliases, discovery }: Offerer): readonly Offer[] {
  return (discovery.models ?? []).map((discovered) => {
    const names = [discovered.id, ...(discovered.aliases ?? [])];
    const known = names.find((name) => fleet.models.has(name) || aliases.has(name)) ?? discovered.id;
    return { model: aliases.get(known) ?? known, name: discovered.id, discovered };
  });
}

function findDiscovered(models: readonly DiscoveredModel[] | undefined, name: string): DiscoveredModel | undefined {
  return models?.find((model) => model.id === name) ?? models?.find((model) => model.aliases?.includes(name));
}

/** Engines that serve whatever name is asked under the one model they have loaded: that one is meant. */
function soleModel({ engine, models }: Discovery): DiscoveredModel | undefined {
  if (engine === undefined || engines[engine].modelNames === 'checked') return undefined;
  return models?.length === 1 ? models[0] : undefined;
}
