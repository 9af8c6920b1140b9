// How many backends each group is known to have, and whether that is news or memory.
import { Gauge, type Registry } from 'prom-client';

export interface DiscoveryWatch {
  found(group: string, backends: number): void;
  failed(group: string): void;
  forget(group: string): void;
}

export function watchDiscovery(registry: Registry): DiscoveryWatch {
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ['group'], registers: [registry] });
  const up = gauge(
    'switchyard_discovery_up',
    '0 while a group of backends cannot be looked up, and is what it was before',
  );
  const found = gauge('switchyard_discovered_backends', 'Backends found at the last answer that counted');
  return {
    found(group, backends) {
      up.set({ group }, 1);
      found.set({ group }, backends);
    },
    failed: (group) => up.set({ group }, 0),
    forget(group) {
      for (const one of [up, found]) one.remove({ group });
    },
  };
}
