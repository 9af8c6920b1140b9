// What `serve` shows at its start: what was understood, and where to point a client.
import type { Fleet } from '../fleet/fleet.ts';
import type { Service } from '../service.ts';
import { isLoopback } from '../config/addresses.ts';
import { urlOf } from './admin-address.ts';
import { columns } from './columns.ts';

interface About {
  /** Whether its file is watched. */
  readonly isWatched: boolean;
  /** Since the start of the process. */
  readonly sinceMs: number;
  /** Whether every backend has been asked once. */
  readonly isComplete: boolean;
  readonly source: string;
  readonly hash: string;
  readonly version: string;
}

const mostNames = 4;

export function overview(fleet: Fleet, service: Service, about: About): string {
  const url = urlOf(service.address, fleet.server.tls);
  const header = ['BACKEND', 'ENGINE', 'STATE', 'MODELS'];
  const rows = service.fleet.backends.map((backend) => {
    const state = service.states.find(({ name }) => name === backend.name);
    const shown = backend.state === 'enabled' ? (state?.health ?? 'unknown') : backend.state;
    return [backend.name, state?.engine ?? backend.engine, shown, shorten(service.models(backend.name))];
  });
  const { host } = service.address;
  const keys = fleet.auth.mode === 'keys' ? 'API key needed' : `no API key${isLoopback(host) ? ': loopback only' : ''}`;
  return [
    `switchyard ${about.version}  fleet ${about.source} (sha ${about.hash.slice(0, 6)})  node ${process.version}`,
    ...columns([header, ...rows], '  '),
    `Clients:  ${url}/v1  (${keys})`,
    ...(fleet.server.metrics ? [`Metrics:  ${url}/metrics`] : []),
    ...adminLines(fleet, service),
    readyLine(about),
    '',
  ].join('\n');
}

function adminLines({ admin }: Fleet, { adminAddress }: Service): readonly string[] {
  if (adminAddress === undefined) return [];
  return [
    `Status:   ${urlOf(adminAddress, admin?.tls)}/  (${admin?.tokenSha256 === undefined ? 'read only: no token' : 'drain and reload need the token'})`,
  ];
}

function readyLine({ source, isWatched, sinceMs, isComplete }: About): string {
  const ready = isComplete
    ? `Ready in ${(sinceMs / 1000).toFixed(1)} s.`
    : 'Serving what is up; some backends have not answered yet.';
  return isWatched ? `${ready} Watching ${source}.` : ready;
}

function shorten(names: readonly string[]): string {
  if (names.length === 0) return '-';
  const more = names.length - mostNames;
  return names.slice(0, mostNames).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
