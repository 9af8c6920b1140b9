// What requests weigh: as long as they run, and not a token longer, whatever happens in whatever order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Charge } from '../../../../src/selection/placement/charge.ts';
import { aJob, aStand, held } from './placed.ts';

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('place' as const), chunks: fc.integer({ min: 0, max: 40 }), stream: fc.boolean() }),
    fc.record({ do: fc.constantFrom('token' as const, 'answered' as const, 'end' as const), which: fc.nat(20) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(20_000) }),
    fc.record({ do: fc.constant('restart' as const), backend: fc.nat(2) }),
    fc.record({ do: fc.constant('report' as const), backend: fc.nat(2), requests: fc.nat(9) }),
  ),
  { maxLength: 120 },
);

describe('charges', () => {
  it('come to nothing once everything has ended, after any interleaving', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const stand = aStand(3);
        const charges: Charge[] = [];
        for (const step of todo) {
          switch (step.do) {
            case 'place':
              charges.push(
                stand.place(aJob({ chunks: Array.from({ length: step.chunks }, (_, n) => n), stream: step.stream }))
                  .charge,
              );
              break;
            case 'wait':
              stand.clock.advance(step.ms);
              break;
            case 'restart':
              stand.placement.restarted(step.backend);
              break;
            case 'report':
              stand.placement.reported(step.backend, {
                requests: step.requests,
                kvUsage: 0.5,
                atMs: stand.clock.now(),
              });
              break;
            default: {
              const charge = charges[step.which % Math.max(1, charges.length)];
              if (step.do === 'token') for (let n = 0; n < 70; n++) charge?.token();
              else if (step.do === 'end') charge?.end();
              else charge?.answered({ cachedTokens: 100 });
            }
          }
          for (const sum of held(stand)) expect(sum).toBeGreaterThanOrEqual(0);
        }
        for (const charge of charges) charge.end();
        for (const charge of charges) charge.token();
        stand.clock.advance(1e9);
        stand.placement.outgoing({ all: true });
        expect(held(stand)).toEqual([0, 0, 0]);
      }),
    );
  });

  it('weigh a prompt until its first token, and an answer as it grows', () => {
    const stand = aStand(1);
    const { charge } = stand.place(aJob());
    expect(held(stand)).toEqual([1, 4_096, 4_096]);
    charge.token();
    expect(held(stand)).toEqual([1, 0, 4_096]);
    for (let n = 0; n < 130; n++) charge.token();
    expect(held(stand)).toEqual([1, 0, 4_096 + 128]);
    charge.end();
    expect(held(stand)).toEqual([0, 0, 0]);
  });

  it('weigh only what of a prompt is not cached', () => {
    const stand = aStand(1);
    const chunks = Array.from({ length: 16 }, (_, n) => n);
    stand.place(aJob({ chunks })).charge.end();
    stand.place(aJob({ chunks: [...chunks, 100, 101, 102, 103] }));
    expect(held(stand)).toEqual([1, 4 * 256, 20 * 256]);
  });

  it('give a prompt up for computed when that is due, where nobody sees the first token', () => {
    const stand = aStand(1);
    const { charge } = stand.place(aJob({ stream: false }));
    const dueMs = charge.foreseen?.ttftMs ?? 0;
    stand.clock.advance(dueMs - 1);
    stand.order(aJob());
    expect(held(stand)).toEqual([1, 4_096, 4_096]);
    stand.clock.advance(1);
    stand.order(aJob());
    expect(held(stand)).toEqual([1, 0, 4_096]);
  });
});
