// The simulated backends of a fleet: servers of our own, beside the router, each as long as its backend is in the fleet.
import { identityOf } from '../fleet/changes.ts';
import type { Backend } from '../fleet/fleet.ts';
import { type SimulatedServer, startSimulated } from './server.ts';

export interface SimulatedFleet {
  /** Nothing to do where the backend is not a simulated one, or is disabled. */
  start(backend: Backend): Promise<void>;
  stop(backend: Backend): Promise<void>;
  urlOf(backend: Backend): string | undefined;
  /** By identity. */
  urls(): ReadonlyMap<string, string>;
  readonly size: number;
  close(): Promise<void>;
}

export function createSimulatedFleet(): SimulatedFleet {
  const servers = new Map<string, SimulatedServer>();
  return {
    async start(backend) {
      const { name, simulate, state } = backend;
      if (simulate === undefined || state === 'disabled' || servers.has(identityOf(backend))) return;
      servers.set(identityOf(backend), await startSimulated({ name, ...simulate }));
    },
    async stop(backend) {
      const server = servers.get(identityOf(backend));
      servers.delete(identityOf(backend));
      await server?.close();
    },
    urlOf: (backend) => servers.get(identityOf(backend))?.url,
    urls: () => new Map([...servers].map(([identity, { url }]) => [identity, url])),
    get size() {
      return servers.size;
    },
    async close() {
      const all = [...servers.values()];
      servers.clear();
      await Promise.all(all.map((server) => server.close()));
    },
  };
}
