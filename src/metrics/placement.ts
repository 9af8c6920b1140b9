// Routers that tell each other what they have sent where. Their own file because the gauge exists only where there may be several.
import { Gauge, type Registry } from 'prom-client';

export type RoutersWatch = (inTouch: number) => void;

export function watchRouters(registry: Registry): RoutersWatch {
  const inTouch = new Gauge({
    name: 'switchyard_routers_in_touch',
    help: 'Routers that know what each other has sent where under `least-cost`, this one included; each worker counts as one. Absent where there can be no other',
    aggregator: 'min',
    registers: [registry],
  });
  inTouch.set(1);
  return (routers) => inTouch.set(routers);
}
