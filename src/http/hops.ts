// Which routers a request has come through: each writes its own name down for the next, so that a fleet that leads back to
// the router itself, by whatever name or balancer, is noticed at the second time round and not at the thousandth.
import { GatewayError } from '../errors.ts';

export const hopHeader = 'x-switchyard-hop';

/** Routers in front of routers are few; where there are more, something goes round that does not know itself. */
const mostHops = 8;

/** What the backend is told. `own` is a word of this process alone. @throws GatewayError `loop_detected` */
export function hopsThrough(written: string | undefined, own: string): string {
  // Anything else was not written by a router, and is not passed on.
  const before = written !== undefined && /^[a-z0-9]{1,32}(?:, ?[a-z0-9]{1,32})*$/.test(written);
  const hops = before ? written.split(/, ?/) : [];
  if (hops.includes(own))
    throw new GatewayError(
      'loop_detected',
      'This request has come back to the router that sent it: a backend of the fleet file is the router itself, or leads to it.',
    );
  if (hops.length >= mostHops)
    throw new GatewayError('loop_detected', `This request has come through ${mostHops} routers already.`);
  return [...hops, own].join(', ');
}
