// The shared state of a fleet whose Redis has this address.
import type { SharedStateSettings } from '../../../src/fleet/shared-state.ts';

export function settingsFor(url: string, overrides: Partial<SharedStateSettings> = {}): SharedStateSettings {
  const { hostname, port, username, password } = new URL(url);
  return {
    servers: { kind: 'single', address: { host: hostname, port: Number(port) } },
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    database: 0,
    prefix: 'switchyard:',
    replicas: 1,
    onFailure: 'local',
    ...overrides,
  };
}
