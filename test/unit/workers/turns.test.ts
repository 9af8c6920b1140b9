// Waiting rooms of several workers in front of the same slots.
import { noCharge } from '../../../src/selection/placement/charge.ts';
import { describe, expect, it } from 'vitest';
import type { Slot } from '../../../src/admission/slots.ts';
import { WaitingRoom } from '../../../src/admission/waiting-room.ts';
import { GatewayError } from '../../../src/errors.ts';
import { roomOfWorker } from '../../../src/service/threads/rooms-of-worker.ts';
import { createMemory, openTable } from '../../../src/workers/memory.ts';
import { SharedRooms } from '../../../src/workers/shared-rooms.ts';
import { aCandidate } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** As many workers in front of one slot, which is taken. Messages between them wait until they are delivered. */
function setting(workers: number) {
  const clock = fakeClock();
  const table = openTable(createMemory(workers));
  const offers: number[] = [];
  const served: string[] = [];
  let isFree = false;
  const rooms = Array.from({ length: workers }, (_, worker) => {
    const shared = new SharedRooms(table, (to) => offers.push(to));
    const { among, turn } = roomOfWorker({ worker, rooms: shared, clock, numberOf: () => 3 });
    const { freed, others } = among(() => room.wake());
    const room = new WaitingRoom(clock, { left: () => {}, refused: () => {} }, others);
    return { room, freed, turn };
  });
  const at = (worker: number) => {
    const room = rooms[worker];
    if (room === undefined) throw new RangeError('no such worker');
    return room;
  };
  function wait(worker: number, name: string, maxLength = 100): Promise<Slot> {
    clock.advance(1);
    const waited = at(worker).room.enter({
      model: 'm',
      kind: () => 'm',
      tenant: 'a',
      priority: 'normal',
      cost: 1,
      weight: 1,
      maxLength,
      maxWaitMs: 60_000,
      againAtMs: () => undefined,
      gone: new AbortController().signal,
      whyGone: () => new GatewayError('client_closed', 'gone'),
      claim() {
        if (!isFree) return undefined;
        isFree = false;
        served.push(name);
        return {
          candidate: aCandidate(),
          ticket: { epoch: 0, trial: false },
          inFlight: 1,
          charge: noCharge,
          release() {},
        };
      },
    });
    waited.catch(() => {});
    return waited;
  }
  return {
    clock,
    served,
    offers,
    wait,
    length: (worker: number) => at(worker).room.length('m'),
    /** The slot is freed in a worker. */
    free: (worker: number): void => {
      isFree = true;
      at(worker).freed();
    },
    deliver: (): void => {
      for (let to = offers.shift(); to !== undefined; to = offers.shift()) at(to).turn();
    },
  };
}

describe('a slot that is freed where nobody waits', () => {
  it('goes to whoever waits in another worker', () => {
    const { wait, free, deliver, served } = setting(2);
    void wait(1, 'other');
    free(0);
    deliver();
    expect(served).toEqual(['other']);
  });
});

describe('a slot that is freed where somebody waits', () => {
  it('goes to who has waited longest, wherever that is', () => {
    const { wait, free, deliver, served } = setting(3);
    void wait(1, 'first');
    void wait(0, 'second');
    void wait(2, 'third');
    for (let n = 0; n < 3; n++) {
      free(0);
      deliver();
    }
    expect(served).toEqual(['first', 'second', 'third']);
  });

  it('does not stay free when the worker whose turn it is does not take it', () => {
    const { wait, free, clock, served } = setting(2);
    void wait(1, 'busy');
    void wait(0, 'mine');
    free(0);
    expect(served).toEqual([]);
    clock.advance(5);
    expect(served).toEqual(['mine']);
  });

  it('is passed on by who can do nothing with it any more', () => {
    const { wait, free, deliver, served, offers } = setting(3);
    void wait(1, 'first');
    free(0);
    deliver();
    void wait(2, 'second');
    offers.push(1);
    free(1);
    deliver();
    expect(served).toEqual(['first', 'second']);
  });
});

describe('somebody who comes while others wait in another worker', () => {
  it('stands behind them, though a slot is free at that moment', () => {
    const { wait, free, deliver, served } = setting(2);
    void wait(1, 'first');
    free(0);
    void wait(0, 'second');
    deliver();
    expect(served).toEqual(['first']);
    free(1);
    deliver();
    expect(served).toEqual(['first', 'second']);
  });

  it('finds the room full when it is so over all workers', async () => {
    const { wait, length } = setting(2);
    void wait(0, 'first', 2);
    void wait(1, 'second', 2);
    await expect(wait(0, 'third', 2)).rejects.toThrow('2 requests wait already');
    expect([length(0), length(1)]).toEqual([2, 2]);
  });
});

describe('workers that take turns at one slot', () => {
  it('starve nobody, however many come where the slot is freed', () => {
    const { wait, free, deliver, served } = setting(2);
    void wait(1, 'patient');
    for (let n = 0; n < 5; n++) void wait(0, `busy ${n}`);
    free(0);
    deliver();
    expect(served).toEqual(['patient']);
  });
});
