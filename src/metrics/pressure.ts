// What the router itself is running out of, read when Prometheus asks.
import { Gauge, type Registry } from 'prom-client';
import { type Loads, type Resource, resources } from '../admission/overload.ts';

export interface PressureView {
  readonly loads: Loads;
  readonly bufferedBytes: number;
  isOver(resource: Resource): boolean;
}

export function showPressure(registry: Registry, view: PressureView): void {
  const isOver = new Gauge({
    name: 'switchyard_overload',
    help: '1 while new requests are refused because the router itself runs out of this',
    labelNames: ['resource'],
    aggregator: 'max',
    registers: [],
    collect() {
      for (const resource of resources) this.set({ resource }, view.isOver(resource) ? 1 : 0);
    },
  });
  const used = new Gauge({
    name: 'switchyard_overload_used_ratio',
    help: 'How much of its limit (server.overload) is used; at 1 new requests are refused',
    labelNames: ['resource'],
    aggregator: 'max',
    registers: [],
    collect() {
      for (const resource of resources) {
        const load = view.loads[resource];
        if (load !== undefined) this.set({ resource }, load);
      }
    },
  });
  const buffered = new Gauge({
    name: 'switchyard_buffered_bytes',
    help: 'Bytes of requests that are held, and of answers that wait for their callers to read',
    registers: [],
    collect() {
      this.set(view.bufferedBytes);
    },
  });
  for (const gauge of [isOver, used, buffered]) registry.registerMetric(gauge);
}
