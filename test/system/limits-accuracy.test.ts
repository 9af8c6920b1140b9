// A limit that holds over replicas is exact while far more is asked for than it allows.
import { describe, expect, it } from 'vitest';
import { expectExact, startLoad, summary } from '../support/limited-replicas.ts';
import { timesLost } from '../support/redis-trouble.ts';
import { threeReplicasTest } from './three-replicas.ts';

const threeReplicas = threeReplicasTest();
const perMinute = 600;
const seconds = 60;

describe('a limit of one key over three replicas', () => {
  it('is exact while ten times as much is asked for', { timeout: 90_000 }, async () => {
    const { routers } = await threeReplicas(`requests_per_minute: ${perMinute}`);
    const load = startLoad({ perSecond: (10 * perMinute) / 60, seconds, replicas: () => routers });
    await load.done;
    const found = summary(load.answers);
    process.stdout.write(`limits, three replicas: ${JSON.stringify(found)}\n`);
    expect(found.statuses).toEqual([200, 429]);
    expect(timesLost(routers)).toBe(0);
    expectExact(found.admitted, { perMinute, seconds });
  });

  it('is exact in tokens, whatever was reserved for an answer', { timeout: 60_000 }, async () => {
    const [tokensPerMinute, maxTokens, lastsSeconds] = [12_000, 400, 30];
    const { routers } = await threeReplicas(`tokens_per_minute: ${tokensPerMinute}`);
    const load = startLoad({ replicas: () => routers, perSecond: 80, seconds: lastsSeconds, maxTokens });
    await load.done;
    const found = summary(load.answers);
    process.stdout.write(`limits, tokens: ${JSON.stringify(found)}\n`);
    expect(found.statuses).toEqual([200, 429]);
    const allowed = tokensPerMinute + (tokensPerMinute / 60) * lastsSeconds;
    // A request that would fit by what it costs is refused when it does not by what it may cost.
    expect(found.tokens).toBeGreaterThanOrEqual((allowed - maxTokens) * 0.99);
    expect(found.tokens).toBeLessThanOrEqual(allowed * 1.01);
  });
});
