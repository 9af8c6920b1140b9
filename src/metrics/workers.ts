// The threads that serve callers, where there are several. Their own file because these exist only there.
import { Counter, Gauge, type Registry } from 'prom-client';

export interface WorkersWatch {
  running(count: number): void;
  died(): void;
}

export function watchWorkers(registry: Registry): WorkersWatch {
  const registers = [registry];
  const running = new Gauge({
    name: 'switchyard_workers',
    help: 'Threads that serve callers now; absent where there is only one',
    registers,
  });
  const deaths = new Counter({
    name: 'switchyard_worker_deaths_total',
    help: 'Threads that have died and were started again',
    registers,
  });
  return { running: (count) => running.set(count), died: () => deaths.inc() };
}
