// Who is told of every request and every attempt: metrics, what the admin listener remembers, and the access log.
import type { Fleet } from '../fleet/fleet.ts';
import { type Logger, logExchange } from '../log.ts';
import type { Metrics } from '../metrics/observe.ts';
import type { Observer } from '../routing/ports.ts';
import type { Recorder } from './report/recorder.ts';

export interface FollowRequestsParts {
  readonly metrics: Metrics;
  readonly recorder: Pick<Recorder, 'attempted' | 'settled'>;
  readonly log: Logger;
  /** The one that runs now. */
  readonly fleet: () => Fleet;
}

export function followRequests({ metrics, recorder, log, fleet }: FollowRequestsParts): Observer {
  return {
    attempted(event) {
      metrics.attempted(event);
      recorder.attempted(event);
    },
    letGo: (afterMs) => metrics.letGo(afterMs),
    settled(event) {
      metrics.settled(event);
      recorder.settled(event);
      logExchange(log, fleet().logging.access, event);
    },
  };
}
