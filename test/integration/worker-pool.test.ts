// Threads that are started again when they have died, in threads that do little else.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type Death, Pool } from '../../src/workers/pool.ts';

const entry = (code: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort, workerData } from 'node:worker_threads'; ${code}`)}`,
  );

describe('a thread that dies again and again', () => {
  it('is started at once at first, and then after ever longer pauses', async () => {
    const pauses: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const pool = new Pool({
      entry: entry('process.exit(1)'),
      // Pauses are noted and not waited for.
      clock: { now: () => 0, after: (_ms, run) => (setImmediate(run), () => {}) },
      data: () => undefined,
      heard() {},
      died(_worker, { againMs }) {
        pauses.push(againMs);
        if (pauses.length < 11) return;
        pool.ending();
        resolve();
      },
    });
    pool.start(0);
    await promise;
    expect(pauses).toEqual([0, 0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });
});

describe('a thread with a bug', () => {
  it('tells the error that has ended it, and leaves the others alone', async () => {
    const deaths: (Death & { readonly worker: number })[] = [];
    const heard: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const pool = new Pool<string, string>({
      entry: entry(`parentPort.on('message', (message) => {
        if (message === 'fail') throw new TypeError('a bug');
        parentPort.postMessage(workerData + ' heard ' + message);
      });`),
      clock: systemClock,
      data: (worker) => worker,
      heard(_worker, message) {
        heard.push(message);
        resolve();
      },
      died(worker, death) {
        deaths.push({ worker, ...death });
        pool.ending();
        pool.tellAll('hello');
      },
    });
    for (const worker of [0, 1]) pool.start(worker);
    pool.tell(0, 'fail');
    await promise;
    expect(deaths).toMatchObject([{ worker: 0, cause: new TypeError('a bug') }]);
    expect(heard).toEqual(['1 heard hello']);
    expect(pool.running).toEqual([1]);
    expect(await pool.ended(0)).toEqual([1]);
  });
});
