// When a reading of a backend's health becomes its state: one miss is not an outage, and one good answer after an
// outage is not a recovery. Pure.
import type { Health } from '../engines/engine.ts';
import type { ProbeSettings } from '../fleet/fleet.ts';

export interface HealthTrack {
  /** Takes the next reading and returns the state to show. */
  next(reading: Health): Health;
}

/** The settings are asked for each time: a reload may change them. */
export function trackHealth(settings: () => Pick<ProbeSettings, 'upAfter' | 'downAfter'>): HealthTrack {
  let shown: Health | undefined;
  let good = 0;
  let misses = 0;
  return {
    next(reading) {
      const { upAfter, downAfter } = settings();
      good = reading === 'up' ? good + 1 : 0;
      misses = reading === 'down' ? misses + 1 : 0;
      // The first probe decides. Loading, asleep and misconfigured are the engine's own words, so they hold at once.
      if (shown === undefined) shown = reading;
      else if (reading === 'up') shown = shown === 'down' && good < upAfter ? 'down' : 'up';
      else if (reading === 'down') shown = misses < downAfter ? shown : 'down';
      else shown = reading;
      return shown;
    },
  };
}
