// What operators read of a running router: what became of requests, and nothing of what has gone.
import { describe, expect, it, vi } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { diesAfter, fault, stallsAfter } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();

describe('a request that another backend has served', () => {
  it('is a failover, two choices, and a first and a second attempt', async () => {
    const { chat, engine, metric } = await start({
      policy: 'round-robin',
      engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }],
    });
    engine.respond([fault('internal')]);
    for (let n = 0; n < 2; n++) expect((await chat()).status).toBe(200);
    expect(await metric('switchyard_failovers_total', { model: 'test-model', reason: 'backend_error' })).toBe(1);
    expect(await metric('switchyard_upstream_attempts_total', { backend: 'b1', attempt: 'retry' })).toBe(1);
    expect(await metric('switchyard_routing_decisions_total', { policy: 'round-robin', result: 'best' })).toBe(3);
  });
});

describe('a stream', () => {
  it('that its backend leaves without an end is broken', async () => {
    const { chat, engine, metric } = await start();
    engine.respond([diesAfter(2)]);
    const response = await chat({ stream: true });
    await response.text().catch(() => '');
    const labels = { backend: 'b0', phase: 'stream', reason: 'backend_broken' };
    expect(await metric('switchyard_streams_broken_total', labels)).toBe(1);
  });

  it('that its caller leaves is a disconnect, and its connection is busy until then', async () => {
    const { chat, engine, metric } = await start();
    engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const response = await chat({ stream: true }, { signal: gone.signal });
    expect(await metric('switchyard_upstream_connections', { state: 'busy' })).toBeGreaterThanOrEqual(1);
    gone.abort();
    await response.text().catch(() => '');
    await vi.waitFor(async () =>
      expect(await metric('switchyard_client_disconnects_total', { phase: 'streaming' })).toBe(1),
    );
    expect(await metric('switchyard_streams_broken_total')).toBe(0);
  });
});

describe('what the router says of itself', () => {
  it('is which build it is, how its choices took time, and when its backends last answered', async () => {
    const { chat, metric } = await start();
    expect((await chat()).status).toBe(200);
    expect(await metric('switchyard_build_info', { revision: 'unknown', version: 'test' })).toBe(1);
    for (const phase of ['parse', 'select', 'connect', 'first_byte'])
      expect(await metric('switchyard_overhead_seconds_count', { phase })).toBe(1);
    for (const signal of ['health', 'models'])
      expect(await metric('switchyard_backend_signal_timestamp_seconds', { signal })).toBeGreaterThan(1.7e9);
    expect(await metric('switchyard_input_tokens_count', { model: 'test-model' })).toBe(1);
  });
});
