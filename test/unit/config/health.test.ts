// What a fleet file says about backends that are not well.
import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

describe('a fleet file', () => {
  it('has the panic rule, slow start and stalls at their defaults, and as it says', () => {
    const { fleet } = valid(fleetWith(''));
    expect([fleet.routing.panicRatio, fleet.routing.slowStartMs, fleet.backends[0]?.stallAfterMs]).toEqual([
      0.5, 30_000, 30_000,
    ]);
    const other = valid(`version: 1
defaults: { stall_after: 10s }
routing: { panic: 1, slow_start: 0s }
backends:
  - { name: a, url: http://h:1 }
  - { name: b, url: http://h:2, stall_after: 0s }
`).fleet;
    expect([other.routing.panicRatio, other.routing.slowStartMs]).toEqual([1, 0]);
    expect(other.backends.map(({ stallAfterMs }) => stallAfterMs)).toEqual([10_000, 0]);
  });

  it('has a bound of requests in flight that is set or learnt, and a backend its own', () => {
    const { backends } = valid(`version: 1
defaults: { max_in_flight: auto }
backends:
  - { name: a, url: http://h:1 }
  - { name: b, url: http://h:2, max_in_flight: 8 }
`).fleet;
    expect(backends.map(({ maxInFlight }) => maxInFlight)).toEqual(['auto', 8]);
  });

  it.each([
    ['routing: { panic: 50 }\n', 'fleet.yaml:4:19: error: must be at most 1 at routing.panic'],
    [
      'routing: { slow_start: 30 }\n',
      'fleet.yaml:4:24: error: expected text, found a number at routing.slow_start (add a unit: 250ms, 20s, 5m, 1h)',
    ],
  ])('is told what is wrong: %j', (text, problem) => {
    expect(said(fleetWith(text))).toEqual([problem]);
  });
});
