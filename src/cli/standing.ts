// The two sides that `plan` compares: a fleet file, with its boxes asked or not, and the report of a running router.
import { buildCatalogue, type Catalogue } from '../fleet/catalogue.ts';
import type { Standing } from '../fleet/effects.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { isObject, objectOf, objectsIn, textOf } from '../wire/json-value.ts';
import { examineFleet } from './examine-fleet.ts';
import { findingOf } from './probe-notes.ts';

export interface Asked {
  readonly standing: Standing;
  /** By backend: why it is no good. */
  readonly trouble: ReadonlyMap<string, string>;
}

/** Asks every backend that is not disabled. */
export async function askedStanding(fleet: Fleet): Promise<Asked> {
  const { examined, catalogue } = await examineFleet(fleet, { only: ({ state }) => state !== 'disabled' });
  const trouble = new Map<string, string>();
  for (const one of examined) {
    const { name } = one.backend;
    const finding = findingOf(one, `backends[${fleet.backends.indexOf(one.backend)}]`);
    if (!finding.isGood) trouble.set(name, finding.notes[0] ?? finding.health);
  }
  return { standing: standingOf(fleet, catalogue, (_model, backend) => trouble.has(backend)), trouble };
}

export interface Unasked {
  readonly standing: Standing;
  /** Of which nobody knows the models. */
  readonly unknown: readonly string[];
}

/** By what the file says, and for boxes that stay by what they served before. */
export function unaskedStanding(fleet: Fleet, before: Standing | undefined): Unasked {
  const servedBefore = (name: string, url: string | undefined) => {
    const same = before?.backends.find((backend) => backend.name === name && backend.url === (url ?? null));
    if (before === undefined || same === undefined) return undefined;
    return [...before.models].filter(([, members]) => members.some(({ backend }) => backend === name));
  };
  const unknown: string[] = [];
  const out = new Set<string>();
  const catalogue = buildCatalogue(fleet, ({ name, url, models, simulate }) => {
    const served = servedBefore(name, url);
    const ids = simulate?.models ?? served?.map(([model]) => model);
    if (ids === undefined && models === undefined) unknown.push(name);
    for (const [model, members] of served ?? [])
      if (members.some(({ backend, usable }) => backend === name && !usable)) out.add(`${model} ${name}`);
    return { engine: undefined, models: ids?.map((id) => ({ id, can: {} })) };
  });
  return { standing: standingOf(fleet, catalogue, (model, backend) => out.has(`${model} ${backend}`)), unknown };
}

function standingOf(
  { backends }: Fleet,
  catalogue: Catalogue,
  isOut: (model: string, backend: string) => boolean,
): Standing {
  const models = [...catalogue.models.values()].map(({ name: model, members }) => {
    const standing = members.map(({ backend: { name, weight, state } }) => ({
      backend: name,
      weight,
      usable: state === 'enabled' && !isOut(model, name),
    }));
    return [model, standing] as const;
  });
  return {
    backends: backends.map(({ name, url, weight, state }) => ({ name, url: url ?? null, weight, state })),
    models: new Map(models),
  };
}

/** Of `GET /fleet`, which may be that of another version. Undefined: it is no such thing. */
export function reportedStanding(report: unknown): Standing | undefined {
  const fields = objectOf(report);
  if (fields === undefined || !Array.isArray(fields['backends']) || !Array.isArray(fields['models'])) return undefined;
  const backends = objectsIn(fields['backends']).map((backend) => ({
    name: textOf(backend['name']) ?? '',
    url: textOf(backend['url']) ?? null,
    weight: weightOf(backend['weight']),
    state: textOf(backend['admin_state']) ?? 'enabled',
  }));
  const models = objectsIn(fields['models']).map((model) => {
    const members = objectsIn(model['members']).map((member) => ({
      backend: textOf(member['backend']) ?? '',
      weight: weightOf(member['weight']),
      usable: isObject(member) && member['usable'] === true,
    }));
    return [textOf(model['name']) ?? '', members] as const;
  });
  return { backends, models: new Map(models) };
}

function weightOf(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 1;
}
