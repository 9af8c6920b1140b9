// Examines backends of a fleet side by side, and puts what they say next to what the fleet file says.
import { systemClock } from '../clock.ts';
import type { EngineName } from '../engines/index.ts';
import { endpointNames } from '../fleet/capabilities.ts';
import { buildCatalogue, type Catalogue, type Member } from '../fleet/catalogue.ts';
import type { Backend, Fleet } from '../fleet/fleet.ts';
import type { Discovery } from '../fleet/offers.ts';
import { createConnections } from '../upstream/connections.ts';
import { type Examination, examine, type ExamineParts } from '../upstream/examine.ts';
import { type Generation, generate } from '../upstream/generate.ts';
import { rememberingLookup } from '../upstream/remembered-names.ts';

export interface Examined {
  readonly backend: Backend;
  readonly examination: Examination;
  /** Public names of what it serves, found or said. */
  readonly models: readonly string[];
  /** Public names of what the fleet file says it serves, and it does not. */
  readonly missing: readonly string[];
  /** Absent: not wanted, or nothing it could be asked for. */
  readonly generation?: Generation;
}

export interface ExaminedFleet {
  readonly examined: readonly Examined[];
  /** Of the whole fleet, with what was found. */
  readonly catalogue: Catalogue;
}

export interface ExamineWishes {
  /** Those that are examined; left out: all. */
  readonly only?: (backend: Backend) => boolean;
  /** One token of this model, or of any where it is true. */
  readonly generate?: string | true;
  readonly timeoutMs?: number;
}

export async function examineFleet(fleet: Fleet, wishes: ExamineWishes = {}): Promise<ExaminedFleet> {
  const { only = () => true, timeoutMs } = wishes;
  const connections = createConnections({ lookup: rememberingLookup(systemClock), urlOf });
  const parts: ExamineParts = { connections, clock: systemClock, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  try {
    const chosen = fleet.backends.filter(only);
    const found = new Map(
      await Promise.all(chosen.map(async (backend) => [backend, await examineOne(backend, parts)] as const)),
    );
    const catalogue = buildCatalogue(fleet, (backend) => discoveryOf(backend, found.get(backend)));
    const examined = chosen.map(async (backend): Promise<Examined> => {
      const examination = found.get(backend) ?? { isRouter: false };
      const members = membersOf(catalogue, backend);
      const generation = await askForToken(members, examination, wishes.generate, parts);
      return {
        backend,
        examination,
        models: members.map(({ model }) => model),
        missing: missingOf(members, examination),
        ...(generation === undefined ? {} : { generation }),
      };
    });
    return { examined: await Promise.all(examined), catalogue };
  } finally {
    await connections.close();
  }
}

/** A simulated backend has none: it runs inside the router, and only there. */
function urlOf(backend: Backend): string {
  return backend.url ?? 'http://127.0.0.1:9';
}

async function examineOne(backend: Backend, parts: ExamineParts): Promise<Examination> {
  if (backend.simulate === undefined) return examine(backend, parts);
  const models = backend.simulate.models.map((id) => ({ id, can: {} }));
  return { isRouter: false, engine: 'simulated', health: 'up', auth: 'ok', models };
}

function discoveryOf(backend: Backend, found: Examination | undefined): Discovery {
  const said: EngineName | undefined = backend.engine === 'auto' ? undefined : backend.engine;
  return { engine: said ?? found?.engine, models: found?.models };
}

interface Served {
  readonly model: string;
  readonly member: Member;
}

function membersOf({ models }: Catalogue, backend: Backend): readonly Served[] {
  return [...models.values()].flatMap(({ name, members }) =>
    members.filter((member) => member.backend === backend).map((member) => ({ model: name, member })),
  );
}

function missingOf(served: readonly Served[], { models }: Examination): readonly string[] {
  if (models === undefined) return [];
  const has = (name: string) => models.some(({ id, aliases = [] }) => id === name || aliases.includes(name));
  return served.filter(({ member }) => !has(member.name)).map(({ model }) => model);
}

async function askForToken(
  served: readonly Served[],
  { health }: Examination,
  wish: ExamineWishes['generate'],
  parts: ExamineParts,
): Promise<Generation | undefined> {
  if (wish === undefined || health !== 'up') return undefined;
  const mayServe = ({ member }: Served) => member.backend.simulate === undefined;
  for (const endpoint of endpointNames) {
    const able = served.find(
      ({ model, member }) => (wish === true || model === wish) && member.can[endpoint] !== false,
    );
    if (able === undefined || !mayServe(able)) continue;
    const { backend, engine, name } = able.member;
    return generate(backend, { model: name, engine, endpoint }, parts);
  }
  return undefined;
}
