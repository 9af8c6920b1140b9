// The simulated backends of a fleet: servers of our own, started beside the router.
import type { Fleet } from '../fleet/fleet.ts';
import { startSimulated } from './server.ts';

export interface SimulatedFleet {
  /** By backend name. */
  readonly urls: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

export async function startSimulatedFleet(fleet: Fleet): Promise<SimulatedFleet> {
  const wanted = fleet.backends.filter((backend) => backend.simulate !== undefined && backend.state !== 'disabled');
  const servers = await Promise.all(
    wanted.map(async (backend) => ({
      name: backend.name,
      server: await startSimulated({
        name: backend.name,
        models: [],
        firstTokenMs: 0,
        tokensPerSecond: 1,
        ...backend.simulate,
      }),
    })),
  );
  return {
    urls: new Map(servers.map(({ name, server }) => [name, server.url])),
    async close() {
      await Promise.all(servers.map(({ server }) => server.close()));
    },
  };
}
