// What a reload changes: which backends come, go, or stay with other settings, and which settings only a restart applies.
// Pure; who acts on it is service/live-fleet.
import type { Backend, Fleet } from './fleet.ts';
import type { ServerTls } from './tls.ts';

/** Same identity: the same box, whose state, connections and running requests live on over a reload. */
export function identityOf({ name, url, engine, simulate, state, tls }: Backend): string {
  // Behind another certificate may be another box, and what is said under the old one has to end: so it is probed, takes over,
  // and the old connections drain. A disabled one is not connected to, so coming back it is a new one.
  return JSON.stringify([name, url, engine, simulate, state === 'disabled', tls?.fingerprint]);
}

export interface FleetChanges {
  readonly added: readonly Backend[];
  readonly removed: readonly Backend[];
  /** Under the same name another box, another engine, or the same one switched on or off. */
  readonly replaced: readonly BackendChange[];
  /** The same box with other settings. */
  readonly changed: readonly BackendChange[];
  readonly same: readonly BackendChange[];
  /** Other parts of the fleet file that are not as before. */
  readonly parts: readonly string[];
}

export interface BackendChange {
  readonly before: Backend;
  readonly after: Backend;
}

export function changesBetween(before: Fleet, after: Fleet): FleetChanges {
  const old = new Map(before.backends.map((backend) => [backend.name, backend]));
  const names = new Set(after.backends.map(({ name }) => name));
  const added: Backend[] = [];
  const replaced: BackendChange[] = [];
  const changed: BackendChange[] = [];
  const same: BackendChange[] = [];
  for (const backend of after.backends) {
    const known = old.get(backend.name);
    if (known === undefined) added.push(backend);
    else if (identityOf(known) !== identityOf(backend)) replaced.push({ before: known, after: backend });
    else (isSame(known, backend) ? same : changed).push({ before: known, after: backend });
  }
  const removed = before.backends.filter(({ name }) => !names.has(name));
  const parts = partNames.filter((part) => !isSame(before[part], after[part]));
  return { added, removed, replaced, changed, same, parts };
}

const partNames = [
  'server',
  'admin',
  'auth',
  'groups',
  'models',
  'routing',
  'logging',
  'metrics',
  'tracing',
  'sharedState',
] as const;

/** What they are called in the fleet file, where that differs. */
const partWords: Partial<Record<string, string>> = { sharedState: 'shared_state', groups: 'discover' };

/** `+1 backend (gpu-b), models` */
export function describeChanges({ added, removed, replaced, changed, parts }: FleetChanges): string {
  const words = [
    counted('+', added, ''),
    counted('-', removed, ''),
    counted(
      '',
      replaced.map(({ after }) => after),
      ' replaced',
    ),
    counted(
      '',
      changed.map(({ after }) => after),
      ' changed',
    ),
    ...parts.map((part) => partWords[part] ?? part),
  ].filter((word) => word !== '');
  return words.length === 0 ? 'nothing that matters' : words.join(', ');
}

const mostNames = 8;

function counted(sign: string, backends: readonly Backend[], what: string): string {
  if (backends.length === 0) return '';
  const names = backends.slice(0, mostNames).map(({ name }) => name);
  if (backends.length > mostNames) names.push('…');
  return `${sign}${backends.length} backend${backends.length === 1 ? '' : 's'}${what} (${names.join(', ')})`;
}

/** Settings of a running router that stay as they were at its start, by their names in the fleet file. */
export const restartSettings = [
  'server.listen',
  'server.workers',
  'admin.listen',
  'shared_state',
  'server.tls',
  'admin.tls',
  'server.overload',
  'metrics',
  'tracing',
  'logging.format',
] as const;

export type RestartSetting = (typeof restartSettings)[number];

/** Those that are not as they were at the start. */
export function settingsForRestart(atStart: Fleet, now: Fleet): readonly RestartSetting[] {
  const [before, after] = [valuesForRestart(atStart), valuesForRestart(now)];
  return restartSettings.filter((name) => !isSame(before[name], after[name]));
}

function valuesForRestart({ server, admin, sharedState, metrics, tracing, logging }: Fleet) {
  return {
    'server.listen': server.listen,
    'server.workers': server.workers,
    'admin.listen': admin?.listen,
    shared_state: sharedState,
    'server.tls': portKind(server.tls),
    'admin.tls': portKind(admin?.tls),
    'server.overload': server.overload,
    metrics,
    tracing,
    'logging.format': logging.format,
  } satisfies Record<RestartSetting, unknown>;
}

/** A port goes on to speak what it spoke; certificates are exchanged while it runs. */
function portKind(tls: ServerTls | undefined): string {
  if (tls === undefined) return 'plain';
  return tls.clientCa === undefined ? 'tls' : 'mutual tls';
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a, mapsAsLists) === JSON.stringify(b, mapsAsLists);
}

function mapsAsLists(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}
