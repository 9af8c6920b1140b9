// The placement of a router that serves from one thread, in touch with those of other replicas.
import type { Clock } from '../clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Metrics } from '../metrics/observe.ts';
import { Exchange } from '../selection/placement/exchange.ts';
import { openCorrespondence, randomName } from './open-correspondence.ts';
import type { OpenFleet } from './open-fleet.ts';

export interface OpenExchangeParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly open: OpenFleet;
}

/** Undefined: there is nobody to be in touch with. */
export function openExchange({ sharedState }: Fleet, { clock, metrics, open }: OpenExchangeParts) {
  const process = randomName();
  const { placement } = open;
  const others = openCorrespondence(sharedState, {
    process,
    heard: (letter) => exchange.heard(letter),
    cutOff: (cutOff) => (placement.cutOff = cutOff),
  });
  if (others === undefined) return undefined;
  const exchange = new Exchange({
    id: process + randomName(),
    clock,
    placement,
    backends: open.roll,
    isOn: () => open.live.current.routing.policy === 'least-cost',
    send: (letter) => others.publish(letter),
    inTouch: metrics.watchRouters(),
  });
  return {
    start: () => exchange.start(),
    stop() {
      exchange.stop();
      others.close();
    },
  };
}
