// What would happen to a request, and that asking for it changes nothing.
import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../../src/access/keyring.ts';
import { plainCounters } from '../../../src/admission/counters.ts';
import { createSlots } from '../../../src/admission/slots.ts';
import { claim, type Look } from '../../../src/routing/claim.ts';
import { dryRun, type Question } from '../../../src/routing/dry-run.ts';
import { Exchange } from '../../../src/routing/exchange.ts';
import { explain } from '../../../src/routing/explanation.ts';
import { buildSnapshot, createSnapshots } from '../../../src/routing/snapshot.ts';
import { policies } from '../../../src/selection/policies/index.ts';
import { aCaller, aFleet, type FleetWishes } from '../../support/a-fleet.ts';
import { aRequest } from '../../support/a-request.ts';
import { aRoster } from '../../support/a-roster.ts';
import { FakeCaller } from '../../support/fake-delivery.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function aStand(wishes: FleetWishes, policy: keyof typeof policies = 'least-connections') {
  const fleet = aFleet(wishes);
  const roster = aRoster();
  const inFlight = plainCounters();
  const clock = fakeClock();
  for (const backend of fleet.backends) Object.assign(roster.of(backend), { health: 'up', probedOnce: true });
  const parts = { inFlight, clock, random: () => 0 };
  const keyring = createKeyring(fleet);
  const snapshots = createSnapshots(
    buildSnapshot(fleet, { roster, keyring, makePolicy: policies[policy], policyParts: parts }),
  );
  const stateOf = (name: string) => {
    const backend = fleet.backends.find((one) => one.name === name);
    if (backend === undefined) throw new Error(name);
    return roster.of(backend);
  };
  const waiting = new Map<string, number>();
  return {
    snapshots,
    inFlight,
    waiting,
    stateOf,
    busy: (name: string, count: number) => {
      for (let n = 0; n < count; n++) inFlight.add(stateOf(name).index, 1);
    },
    ask: (question: Partial<Question> = {}) =>
      dryRun(
        { snapshots, roster, inFlight, waiting: (model) => waiting.get(model) ?? 0, nowMs: clock.now() },
        {
          model: 'm',
          endpoint: 'chat-completions',
          needs: [],
          promptBytes: 0,
          maxTokens: undefined,
          caller: aCaller(),
          ...question,
        },
      ),
    /** What a real request gets. */
    take(looked?: (look: Look) => void) {
      const target = snapshots.current().targets.get('m');
      if (target === undefined) throw new Error('no target');
      const request = aRequest({ needs: ['chat-completions'] });
      const exchange = new Exchange('id', 'chat-completions', aCaller(), clock.now());
      const slots = createSlots(inFlight);
      return claim(
        { slots, waiting: () => 0, nowMs: clock.now(), looked },
        { exchange, request, target, reply: new FakeCaller() },
      );
    },
  };
}

const three = ['a', 'b', 'c'].map((name) => ({ name, models: ['m'] }));
const backendsOf = (explanation: ReturnType<ReturnType<typeof aStand>['ask']>) =>
  explanation.candidates.map(({ backend, verdict, why }) => [backend, verdict, why]);

describe('a dry run', () => {
  it('tells the winner, the order, the scores and why others are left out', () => {
    const stand = aStand({
      backends: [
        { name: 'a', models: ['m'], weight: 2 },
        { name: 'b', models: ['m'], maxInFlight: 1, weight: 9 },
        { name: 'c', models: ['m'], capabilities: { tools: false } },
        { name: 'd', models: ['m'] },
        { name: 'e', models: ['m'], contextTokens: 1_000 },
        { name: 'elsewhere', models: ['other'] },
      ],
    });
    stand.stateOf('d').draining = true;
    stand.busy('a', 1);
    stand.busy('b', 1);
    expect(stand.ask({ needs: ['tools'], promptBytes: 20_000, maxTokens: 7_000 })).toEqual({
      model: 'm',
      endpoint: 'chat-completions',
      policy: 'least-connections',
      winner: 'a',
      why: 'a comes first of the 2 that can take it with room (1 before it is full), by least-connections: the smallest (in flight + 1 + recent failures) / weight, ties at random.',
      candidates: [
        {
          backend: 'b',
          verdict: 'full',
          why: '1 of 1 in flight',
          score: 0.222,
          in_flight: 1,
          max_in_flight: 1,
          weight: 9,
        },
        { backend: 'a', verdict: 'winner', why: null, score: 1, in_flight: 1, max_in_flight: null, weight: 2 },
        {
          backend: 'c',
          verdict: 'excluded',
          why: 'cannot do tools',
          score: 1,
          in_flight: 0,
          max_in_flight: null,
          weight: 1,
        },
        { backend: 'd', verdict: 'excluded', why: 'draining', score: 1, in_flight: 0, max_in_flight: null, weight: 1 },
        {
          backend: 'e',
          verdict: 'excluded',
          why: 'context of 1000 tokens, 12000 needed',
          score: 1,
          in_flight: 0,
          max_in_flight: null,
          weight: 1,
        },
      ],
    });
  });

  it.each(['least-connections', 'round-robin'] as const)('of %s foretells what the next request gets', (policy) => {
    const stand = aStand({ backends: three.map((one, n) => ({ ...one, weight: n + 1 })) }, policy);
    for (let n = 0; n < 12; n++) {
      const foretold = [1, 2, 3].map(() => stand.ask().winner);
      const got = stand.take()?.candidate.backend.name;
      expect(foretold).toEqual([got, got, got]);
    }
  });

  it('says of who is asked although it is out that it is, and why', () => {
    const stand = aStand({ backends: three });
    for (const { name } of three) stand.stateOf(name).health = 'down';
    expect(stand.ask().why).toMatch(
      /^. comes first of the 3 that may be asked, by .* So many are out that all of them are tried, though this one is: down\.$/,
    );
    for (const name of ['b', 'c']) stand.stateOf(name).draining = true;
    expect(stand.ask().why).toBe(
      'a is the only one of 3 that may be asked now. So many are out that all of them are tried, though this one is: down.',
    );
  });

  it('takes no slot', () => {
    const stand = aStand({ backends: three });
    for (let n = 0; n < 10; n++) stand.ask();
    expect(three.map(({ name }) => stand.inFlight.read(stand.stateOf(name).index))).toEqual([0, 0, 0]);
  });

  it('says that a request would wait', () => {
    const stand = aStand({ backends: [{ name: 'a', models: ['m'], maxInFlight: 2 }] });
    stand.busy('a', 2);
    expect(stand.ask()).toMatchObject({
      winner: null,
      why: 'The only one that can take it is full. It waits for a slot.',
      candidates: [{ backend: 'a', verdict: 'full', why: '2 of 2 in flight' }],
    });
    const free = aStand({ backends: three });
    free.waiting.set('m', 3);
    expect(free.ask()).toMatchObject({ winner: null, why: '3 requests wait for it already, and it stands behind.' });
  });

  it('tells the fallback that answers in its place', () => {
    const stand = aStand({
      backends: [
        { name: 'a', models: ['m'] },
        { name: 'b', models: ['n'] },
      ],
      models: { m: { fallback: { no_backend: ['n'], overloaded: [] } } },
    });
    stand.stateOf('a').health = 'down';
    expect(stand.ask()).toMatchObject({
      model: 'n',
      winner: 'b',
      why: 'b is the only one of 1 that can take it now. It stands in for m (no_backend).',
    });
  });

  it('tells why nobody can take it', () => {
    const stand = aStand({ backends: three, panicRatio: 1 });
    for (const { name } of three) stand.stateOf(name).health = 'down';
    const explanation = stand.ask();
    expect(explanation).toMatchObject({ winner: null, why: expect.stringContaining('(a: down, b: down, c: down)') });
    expect(backendsOf(explanation)).toEqual(three.map(({ name }) => [name, 'excluded', 'down']));
  });

  it('fails as a request would that names no model, or none that its key may use', () => {
    const stand = aStand({ backends: three });
    expect(() => stand.ask({ model: 'nothing' })).toThrow(expect.objectContaining({ code: 'model_not_found' }));
    expect(() => stand.ask({ caller: aCaller({ models: ['n*'] }) })).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    );
  });
});

describe('a look at the members', () => {
  it('comes before the slot is taken, and its explanation names who gets it', () => {
    const stand = aStand({ backends: three });
    for (let n = 0; n < 6; n++) {
      const told: (string | null)[] = [];
      const slot = stand.take((look) => {
        const { winner, candidates } = explain(look, stand.inFlight, 2);
        expect(candidates).toHaveLength(2);
        told.push(winner);
      });
      expect(told).toEqual([slot?.candidate.backend.name]);
    }
  });
});
