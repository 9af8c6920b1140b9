// The placement of a router that serves from one thread, in touch with those of other replicas.
import type { Clock } from '../clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Metrics } from '../metrics/observe.ts';
import { Gossip } from '../selection/placement/gossip.ts';
import { openCorrespondence, randomName } from './open-correspondence.ts';
import type { OpenFleet } from './open-fleet.ts';

export interface OpenGossipParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly open: OpenFleet;
}

/** Undefined: there is nobody to be in touch with. */
export function openGossip({ sharedState }: Fleet, { clock, metrics, open }: OpenGossipParts) {
  const process = randomName();
  const { placement } = open;
  const others = openCorrespondence(sharedState, {
    process,
    heard: (letter) => gossip.heard(letter),
    cutOff: (cutOff) => (placement.cutOff = cutOff),
  });
  if (others === undefined) return undefined;
  const gossip = new Gossip({
    id: process + randomName(),
    clock,
    placement,
    backends: open.roll,
    isOn: () => open.live.current.routing.policy === 'least-cost',
    send: (letter) => others.publish(letter),
    inTouch: metrics.watchRouters(),
  });
  return {
    start: () => gossip.start(),
    stop() {
      gossip.stop();
      others.close();
    },
  };
}
