// What `serve` shows at its start: what was understood, and where to point a client.
import type { Fleet } from '../fleet/fleet.ts';
import type { Service } from '../service.ts';
import { urlOf } from './admin-address.ts';
import { columns } from './columns.ts';

interface About {
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
  const keys = fleet.auth.mode === 'none' ? 'no API key' : 'API key needed';
  return [
    `switchyard ${about.version}  fleet ${about.source} (sha ${about.hash.slice(0, 6)})  node ${process.version}`,
    ...columns([header, ...rows], '  '),
    `Clients:  ${url}/v1  (${keys})`,
    ...(fleet.server.metrics ? [`Metrics:  ${url}/metrics`] : []),
    ...adminLines(fleet, service),
    '',
  ].join('\n');
}

function adminLines({ admin }: Fleet, { adminAddress }: Service): readonly string[] {
  if (adminAddress === undefined) return [];
  return [
    `Admin:    ${urlOf(adminAddress, admin?.tls)}  (${admin?.tokenSha256 === undefined ? 'read only: no token' : 'token needed'})`,
  ];
}

function shorten(names: readonly string[]): string {
  if (names.length === 0) return '-';
  const more = names.length - mostNames;
  return names.slice(0, mostNames).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
