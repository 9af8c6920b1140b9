import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { CircuitState } from '../../../src/fleet/circuit.ts';
import { createWindowTicker, OpossumCircuit } from '../../../src/upstream/circuit.ts';
import { aBackend } from '../../support/a-fleet.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

interface Setting {
  readonly circuit: OpossumCircuit;
  readonly clock: FakeClock;
  readonly changes: CircuitState[];
  readonly probes: { wanted: number };
  lastUsable: boolean;
  attempt(outcome: 'success' | 'failure' | 'neutral'): Promise<void>;
  turnWindow(buckets: number): void;
}

function setting(): Setting {
  const clock = fakeClock();
  const changes: CircuitState[] = [];
  const probes = { wanted: 0 };
  const ticker = createWindowTicker(3_600_000);
  const one: Setting = {
    clock,
    changes,
    probes,
    lastUsable: false,
    circuit: new OpossumCircuit(
      aBackend().circuit,
      {
        clock,
        random: () => 0.5,
        mayOpen: () => !one.lastUsable,
        changed: (state) => changes.push(state),
        wantsProbe: () => probes.wanted++,
      },
      ticker,
    ),
    async attempt(outcome) {
      one.circuit.record(outcome, one.circuit.enter());
      await setImmediate();
    },
    turnWindow(buckets) {
      for (let n = 0; n < buckets; n++) ticker.controller.emit('rotate');
    },
  };
  opened.push(ticker, one.circuit);
  return one;
}

async function trip(one: Setting): Promise<void> {
  for (let n = 0; n < 5; n++) await one.attempt('failure');
}

describe('the circuit of a member', () => {
  it('opens after five failures in a row, not after four', async () => {
    const one = setting();
    for (let n = 0; n < 4; n++) await one.attempt('failure');
    expect(one.circuit.state).toBe('closed');
    await one.attempt('failure');
    expect(one.circuit.state).toBe('open');
    expect(one.circuit.admits()).toBe(false);
  });

  it('starts counting anew after a success, and does not count what says nothing about the backend', async () => {
    const one = setting();
    for (let n = 0; n < 4; n++) await one.attempt('failure');
    await one.attempt('neutral');
    await one.attempt('success');
    for (let n = 0; n < 4; n++) await one.attempt('failure');
    expect(one.circuit.state).toBe('closed');
  });

  it('opens when half of at least twenty outcomes within the window failed', async () => {
    const one = setting();
    for (let n = 0; n < 10; n++) {
      await one.attempt('success');
      await one.attempt('failure');
    }
    expect(one.circuit.state).toBe('open');
  });

  it('forgets outcomes that have left the window', async () => {
    const one = setting();
    for (let n = 0; n < 9; n++) {
      await one.attempt('failure');
      await one.attempt('success');
    }
    one.turnWindow(10);
    for (let n = 0; n < 4; n++) await one.attempt('failure');
    expect(one.circuit.state).toBe('closed');
  });

  it('never ejects the last usable member, and does so once another one is back', async () => {
    const one = setting();
    one.lastUsable = true;
    for (let n = 0; n < 50; n++) await one.attempt('failure');
    expect(one.circuit.state).toBe('closed');
    one.lastUsable = false;
    await one.attempt('failure');
    expect(one.circuit.state).toBe('open');
  });

  it('asks for a probe when its time is over, and lets nobody in before that has gone well', async () => {
    const one = setting();
    await trip(one);
    one.clock.advance(4_999);
    expect(one.circuit.state).toBe('open');
    one.clock.advance(1);
    expect(one.circuit.state).toBe('half_open');
    expect(one.probes.wanted).toBe(1);
    expect(one.circuit.admits()).toBe(false);
    one.circuit.probed(true);
    expect(one.changes).toEqual(['open', 'half_open', 'closed']);
  });

  it('stays open when the probe goes badly', async () => {
    const one = setting();
    await trip(one);
    one.clock.advance(5_000);
    one.circuit.probed(false);
    expect(one.circuit.state).toBe('open');
  });

  it('after the probe lets in one attempt at a time until live traffic has succeeded', async () => {
    const one = setting();
    await trip(one);
    one.clock.advance(5_000);
    one.circuit.probed(true);
    expect(one.circuit.admits()).toBe(true);
    const trial = one.circuit.enter();
    expect(one.circuit.admits()).toBe(false);
    one.circuit.record('neutral', trial);
    expect(one.circuit.admits()).toBe(true);
    one.circuit.record('success', one.circuit.enter());
    one.circuit.enter();
    expect(one.circuit.admits()).toBe(true);
  });

  it('opens for twice as long when live traffic fails after a good probe, up to the limit', async () => {
    const one = setting();
    await trip(one);
    for (const openMs of [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      one.clock.advance(openMs - 1);
      expect(one.circuit.state).toBe('open');
      one.clock.advance(1);
      one.circuit.probed(true);
      await one.attempt('failure');
    }
  });

  it('says when it may be probed again, while it is open', async () => {
    const one = setting();
    expect(one.circuit.retryAtMs).toBeUndefined();
    await trip(one);
    expect(one.circuit.retryAtMs).toBe(one.clock.now() + 5_000);
    one.clock.advance(5_000);
    expect(one.circuit.retryAtMs).toBeUndefined();
  });

  it('stays out for longer each time when it only does well for moments, and forgets that after long without a failure', async () => {
    const one = setting();
    const outMs = async () => {
      await trip(one);
      const pauseMs = (one.circuit.retryAtMs ?? 0) - one.clock.now();
      one.clock.advance(pauseMs);
      one.circuit.probed(true);
      return pauseMs;
    };
    const pauses: number[] = [];
    for (let n = 0; n < 4; n++) {
      pauses.push(await outMs());
      one.clock.advance(2_000);
      await one.attempt('success');
    }
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000]);
    one.clock.advance(37_000);
    await one.attempt('failure');
    one.clock.advance(39_999);
    await one.attempt('success');
    expect(await outMs()).toBe(80_000);
    one.clock.advance(80_000);
    await one.attempt('success');
    expect(await outMs()).toBe(5_000);
  });

  it('forgets the outage when it closes, so that one failure later does not open it again', async () => {
    const one = setting();
    for (let n = 0; n < 13; n++) {
      await one.attempt('success');
      await one.attempt('failure');
    }
    expect(one.circuit.state).toBe('open');
    one.clock.advance(5_000);
    one.circuit.probed(true);
    for (let n = 0; n < 20; n++) await one.attempt('success');
    await one.attempt('failure');
    expect(one.circuit.state).toBe('closed');
  });

  it('takes a trial for passed once it has begun to answer, however long it goes on', async () => {
    const one = setting();
    await trip(one);
    one.clock.advance(5_000);
    one.circuit.probed(true);
    const trial = one.circuit.enter();
    expect(one.circuit.admits()).toBe(false);
    one.circuit.confirm(trial);
    expect(one.circuit.admits()).toBe(true);
    one.circuit.enter();
    expect(one.circuit.admits()).toBe(true);
  });

  it('ignores the end of an attempt from before the trip', async () => {
    const one = setting();
    const old = one.circuit.enter();
    await trip(one);
    one.clock.advance(5_000);
    one.circuit.record('success', old);
    expect(one.circuit.state).toBe('half_open');
    one.circuit.probed(true);
    one.circuit.record('failure', old);
    expect(one.circuit.state).toBe('closed');
    one.circuit.enter();
    expect(one.circuit.admits()).toBe(false);
  });

  it('is not diluted by what was turned away while it was open', async () => {
    const one = setting();
    await trip(one);
    for (let n = 0; n < 1_000; n++) await one.attempt('failure');
    one.clock.advance(5_000);
    one.circuit.probed(true);
    await one.attempt('success');
    await trip(one);
    expect(one.circuit.state).toBe('open');
  });

  it('counts a refused connection that another model of the backend met', async () => {
    const one = setting();
    for (let n = 0; n < 5; n++) one.circuit.blame();
    expect(one.circuit.state).toBe('open');
  });

  it('leaves no timer behind when it is closed', async () => {
    const one = setting();
    await trip(one);
    one.circuit.close();
    expect(one.clock.waiting).toBe(0);
  });
});
