// Replicas that come and go leave limits as they are: neither does a restart renew an allowance, nor a death keep one.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { apiKey, expectExact, startLoad, summary } from '../support/limited-replicas.ts';
import type { RouterProcess } from '../support/router-process.ts';
import { threeReplicasTest } from './three-replicas.ts';

const threeReplicas = threeReplicasTest();
const perMinute = 600;
const seconds = 60;

describe('a limit of one key over three replicas', () => {
  it('is exact while replicas stop, are killed, and come back', { timeout: 90_000 }, async () => {
    const { routers, start } = await threeReplicas(`requests_per_minute: ${perMinute}`);
    const running: (RouterProcess | undefined)[] = [...routers];
    const load = startLoad({ perSecond: (10 * perMinute) / 60, seconds, replicas: () => running });
    for (const [n, signal] of [
      [0, 'SIGTERM'],
      [1, 'SIGKILL'],
      [2, 'SIGTERM'],
      [0, 'SIGKILL'],
    ] as const) {
      await sleep(10_000);
      const old = running[n];
      running[n] = undefined;
      old?.signal(signal);
      await old?.ended;
      running[n] = await start();
    }
    await load.done;
    const found = summary(load.answers);
    process.stdout.write(`limits, replicas restarting: ${JSON.stringify(found)}\n`);
    expect(found.failures).toEqual([]);
    expectExact(found.admitted, { perMinute, seconds });
  });
});

describe('a replica that is killed', () => {
  it('frees the 50 requests it had running within 20 s', { timeout: 60_000 }, async () => {
    const { routers } = await threeReplicas('concurrent: 50');
    const [doomed, other] = routers;
    if (doomed === undefined || other === undefined) throw new Error('no routers');
    const stream = (router: RouterProcess, signal?: AbortSignal) =>
      fetch(`${router.url}/v1/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'slow', prompt: 'hi', max_tokens: 1_000, stream: true }),
        ...(signal === undefined ? {} : { signal }),
      });
    const started = await Promise.all(Array.from({ length: 50 }, () => stream(doomed)));
    expect(started.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect((await stream(other)).status).toBe(429);
    await sleep(8_000);
    expect((await stream(other)).status).toBe(429);
    doomed.signal('SIGKILL');
    const killedMs = performance.now();
    for (const { body } of started) await body?.cancel().catch(() => {});
    const gone = new AbortController();
    let free = await stream(other, gone.signal);
    while (free.status === 429) {
      expect(performance.now() - killedMs).toBeLessThan(20_500);
      await sleep(100);
      free = await stream(other, gone.signal);
    }
    process.stdout.write(
      `limits, leases of a killed replica are free after ${Math.round(performance.now() - killedMs)} ms\n`,
    );
    const rest = await Promise.all(Array.from({ length: 60 }, () => stream(other, gone.signal)));
    expect(rest.filter(({ status }) => status === 200)).toHaveLength(49);
    gone.abort();
  });
});
