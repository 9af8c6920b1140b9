import { describe, expect, it } from 'vitest';
import type { Slot } from '../../../src/admission/slots.ts';
import { type Leaving, type Waiting, WaitingRoom } from '../../../src/admission/waiting-room.ts';
import { GatewayError } from '../../../src/errors.ts';
import { noCharge } from '../../../src/selection/placement/charge.ts';
import { aCandidate } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** A room in front of backends with so many slots in all, taken at first. */
function setting(slots = 1) {
  const clock = fakeClock();
  const left: (readonly [Leaving | 'no place', number])[] = [];
  const room = new WaitingRoom(clock, {
    left: (_model, waitedMs, how) => left.push([how, waitedMs]),
    refused: () => left.push(['no place', 0]),
  });
  let free = 0;
  let claims = 0;
  const slot = (): Slot => ({
    candidate: aCandidate(),
    ticket: { epoch: 0, trial: false },
    inFlight: 1,
    charge: noCharge,
    release: () => release(),
  });
  const release = (count = 1) => {
    free += count;
    room.wake();
  };
  const order: string[] = [];
  const wait = (name: string, more: Partial<Waiting> = {}) => {
    const waited = room.enter({
      model: 'm',
      kind: () => 'm',
      tenant: 'a',
      priority: 'normal',
      cost: 100,
      weight: 1,
      maxLength: 100,
      maxWaitMs: 30_000,
      againAtMs: () => undefined,
      gone: new AbortController().signal,
      whyGone: () => new GatewayError('client_closed', 'gone'),
      claim: () => {
        claims++;
        if (free === 0) return undefined;
        free--;
        order.push(name);
        return slot();
      },
      ...more,
    });
    waited.catch(() => {});
    return waited;
  };
  return { clock, room, left, wait, release, order, claims: () => claims, slots };
}

async function failureOf(waited: Promise<Slot>): Promise<GatewayError> {
  const failure: unknown = await waited.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(failure instanceof GatewayError)) throw new Error('was served');
  return failure;
}

describe('the waiting room', () => {
  it('gives a freed slot to the one who came first', async () => {
    const { wait, release, order, room } = setting();
    const [first] = [wait('1'), wait('2')];
    release();
    await first;
    expect([order, room.length('m')]).toEqual([['1'], 1]);
  });

  it('lets a flooding tenant starve nobody', () => {
    const { wait, release, order } = setting();
    for (let n = 0; n < 20; n++) void wait(`a${n}`);
    void wait('b0', { tenant: 'b' });
    release(2);
    expect(order).toEqual(['a0', 'b0']);
  });

  it('asks no second of a kind when the first has found no room', () => {
    const { wait, release, claims } = setting();
    for (let n = 0; n < 50; n++) void wait(String(n));
    const before = claims();
    release();
    expect(claims() - before).toBe(2);
  });

  it('serves another kind past one that can not be served', () => {
    const { wait, release, order } = setting();
    void wait('stuck', { kind: () => 'vision', claim: () => undefined });
    void wait('free');
    release();
    expect(order).toEqual(['free']);
  });

  it('lets go of whoever hangs up, at once', async () => {
    const { wait, room, left, clock } = setting();
    const gone = new AbortController();
    const waited = wait('1', { gone: gone.signal });
    clock.advance(70);
    gone.abort();
    expect([(await failureOf(waited)).code, room.size, left]).toEqual(['client_closed', 0, [['gone', 70]]]);
  });

  it('does not take in whoever has gone already', async () => {
    const { wait, room } = setting();
    expect((await failureOf(wait('1', { gone: AbortSignal.abort() }))).code).toBe('client_closed');
    expect(room.size).toBe(0);
  });

  it('is full at its bound', async () => {
    const { wait, left } = setting();
    void wait('1', { maxLength: 1 });
    const failure = await failureOf(wait('2', { maxLength: 1 }));
    expect([failure.code, left]).toEqual(['overloaded', [['no place', 0]]]);
    expect(failure.message).toContain('1 requests wait already');
  });

  it('lets nobody wait too long, and asks for no repetition by itself', async () => {
    const { wait, clock, room } = setting();
    const waited = wait('1', { maxWaitMs: 5_000 });
    clock.advance(4_999);
    expect(room.size).toBe(1);
    clock.advance(1);
    const failure = await failureOf(waited);
    expect(failure.message).toContain('within 5000 ms');
    expect([failure.code, failure.details.headers, clock.waiting]).toEqual([
      'overloaded',
      { 'x-should-retry': 'false' },
      0,
    ]);
  });

  it('tells when to come back from how fast it has moved of late', async () => {
    const { wait, release, clock } = setting();
    for (let n = 0; n < 30; n++) void wait(String(n));
    for (let n = 0; n < 20; n++) {
      clock.advance(1_200);
      release();
    }
    const failure = await failureOf(wait('late', { maxLength: 10 }));
    // Ten before it, and itself, 1.2 s apart.
    expect(failure.details.retryAfterSeconds).toBeGreaterThan(12);
    expect(failure.details.retryAfterSeconds).toBeLessThan(13.3);
  });

  it('hands on what makes waiting senseless, and goes on with the others', async () => {
    const { wait, release, order } = setting();
    const hopeless = wait('1', {
      kind: () => 'x',
      claim: () => {
        throw new GatewayError('no_backend', 'nobody left');
      },
    });
    expect((await failureOf(hopeless)).code).toBe('no_backend');
    void wait('2');
    release();
    expect(order).toEqual(['2']);
  });

  it('looks again when a backend that asked to be left alone may be asked', () => {
    const { wait, clock, order, room, release } = setting();
    let askable = false;
    void wait('1', {
      againAtMs: () => (askable ? undefined : 3_000),
      claim: () => {
        askable = clock.now() >= 3_000;
        if (askable) order.push('1');
        return undefined;
      },
    });
    clock.advance(1_999);
    expect(order).toEqual([]);
    clock.advance(1);
    expect(order).toEqual(['1']);
    expect(room.size).toBe(1);
    release();
  });

  it('serves each once, also when a claim wakes it again', () => {
    const { room, wait, release, order } = setting();
    let woken = 0;
    void wait('1', {
      kind: () => 'waking',
      claim: () => {
        if (woken++ < 3) room.wake();
        return undefined;
      },
    });
    void wait('2');
    release();
    expect(order).toEqual(['2']);
    expect(room.size).toBe(1);
  });

  it('leaves no timer and no listener behind', async () => {
    const { wait, release, clock, room } = setting();
    const waits = [wait('1'), wait('2'), wait('3')];
    release(3);
    await Promise.all(waits);
    expect([clock.waiting, room.size, room.lengths.size]).toEqual([0, 0, 0]);
  });
});
