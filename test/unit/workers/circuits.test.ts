import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createWindowTicker, OpossumCircuit } from '../../../src/upstream/circuit.ts';
import { createMemory, openTable } from '../../../src/workers/memory.ts';
import { type CircuitNews, RemoteCircuit } from '../../../src/workers/remote-circuit.ts';
import { SharedCircuitWords } from '../../../src/workers/shared-circuits.ts';
import { aBackend } from '../../support/a-fleet.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

/** One circuit that the main thread decides about, and two workers that use it; what they tell waits until it is heard. */
function setting() {
  const table = openTable(createMemory(2));
  const clock = fakeClock();
  const ticker = createWindowTicker(3_600_000);
  const words = () => new SharedCircuitWords(table, 5);
  const parts = { clock, random: () => 0.5, mayOpen: () => true, changed() {}, wantsProbe() {}, words: words() };
  const circuit = new OpossumCircuit(aBackend().circuit, parts, ticker);
  opened.push(ticker, circuit);
  const told: CircuitNews[] = [];
  const workers = [0, 1].map(
    (worker) => new RemoteCircuit({ id: 1, worker, words: words(), tell: (news) => told.push(news) }),
  );
  const [a, b] = workers;
  if (a === undefined || b === undefined) throw new Error('two workers');
  return {
    circuit,
    clock,
    a,
    b,
    told,
    words: words(),
    hear: async (): Promise<void> => {
      for (const news of told.splice(0)) {
        if (news.what === 'blamed') circuit.blame();
        else if (news.what === 'confirmed') circuit.confirm(news.ticket);
        else circuit.record(news.what, news.ticket);
      }
      await setImmediate();
    },
  };
}

type Setting = ReturnType<typeof setting>;

async function trip({ a, b, hear }: Setting): Promise<void> {
  for (const worker of [a, b, a, b, a]) worker.record('failure', worker.enter());
  await hear();
}

async function comeBack({ circuit, clock }: Setting): Promise<void> {
  clock.advance(60_000);
  circuit.probed(true);
  await setImmediate();
}

describe('a circuit that workers share', () => {
  it('opens for all of them by what all of them have seen', async () => {
    const one = setting();
    await trip(one);
    const { a, b, circuit } = one;
    expect([circuit.state, a.state, b.state]).toEqual(['open', 'open', 'open']);
    expect([a.admits(), b.admits(), a.retryAtMs]).toEqual([false, false, circuit.retryAtMs]);
  });

  it('lets one of them try it after a pause, and the others once that went well', async () => {
    const one = setting();
    await trip(one);
    await comeBack(one);
    const { a, b, hear } = one;
    const ticket = a.enter();
    expect([ticket.trial, a.admits(), b.admits(), b.enter().trial]).toEqual([true, false, false, false]);
    a.confirm(ticket);
    await hear();
    expect([a.admits(), b.admits(), b.enter().trial]).toEqual([true, true, false]);
  });

  it('opens again when the trial fails', async () => {
    const one = setting();
    await trip(one);
    await comeBack(one);
    one.b.record('failure', one.b.enter());
    await one.hear();
    expect([one.a.state, one.b.state]).toEqual(['open', 'open']);
  });

  it('hears nothing of attempts from before it opened', async () => {
    const one = setting();
    const { a, b, hear } = one;
    const early = Array.from({ length: 5 }, () => b.enter());
    await trip(one);
    await comeBack(one);
    a.confirm(a.enter());
    await hear();
    for (const ticket of early) b.record('failure', ticket);
    await hear();
    expect(a.state).toBe('closed');
  });

  it('is free to be tried by others when the worker that tried it has died', async () => {
    const one = setting();
    await trip(one);
    await comeBack(one);
    const { a, b, words } = one;
    a.enter();
    expect([words.freeTrial(1), b.admits(), words.freeTrial(0), b.admits()]).toEqual([false, false, true, true]);
    expect(b.enter().trial).toBe(true);
  });

  it('begins as if nothing had happened where another one was before', async () => {
    const one = setting();
    await trip(one);
    one.words.clear();
    expect([one.a.state, one.a.retryAtMs, one.a.admits()]).toEqual(['closed', undefined, true]);
  });
});

describe('a member that is to be left alone', () => {
  it('is so for all workers at once, with the reason, the time and who has said so', () => {
    const table = openTable(createMemory(2));
    const [a, b] = [new SharedCircuitWords(table, 7), new SharedCircuitWords(table, 7)];
    expect(b.holdOff).toBeUndefined();
    for (const why of ['busy', 'loading', 'misconfigured', 'wrong-model'] as const)
      for (const told of [true, false]) {
        a.holdOff = { why, untilMs: 1_234.5, told };
        expect(b.holdOff).toEqual({ why, untilMs: 1_234.5, told });
      }
    b.holdOff = undefined;
    expect(a.holdOff).toBeUndefined();
    expect(new SharedCircuitWords(table, 8).holdOff).toBeUndefined();
  });
});
