// What engines report about their own load: asked for beside the health, kept, and shown while it is fresh.
import { describe, expect, it } from 'vitest';
import { quickProbe, routerPerTest } from '../support/running-router.ts';
import { startScriptedEngine } from '../support/scripted-engine.ts';
import { reply, stallsAfter } from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();
const loadOf = (name: string) => current().service.states.find((state) => state.name === name)?.signals.load?.reading;

describe('the load of an engine', () => {
  it.each(['vllm', 'sglang', 'tgi', 'llamacpp'] as const)('is asked for where it is %s, and kept', async (imitates) => {
    await start({ engines: [{ imitates }] });
    await expect.poll(() => loadOf('b0')).toMatchObject({ running: 0, waiting: 0 });
  });

  it('is what runs and waits there, and how full its cache is', async () => {
    const { engine, chat, service } = await start({
      admin: {},
      engines: [{ imitates: 'vllm', kvUsage: 0.25 }],
    });
    engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const stream = await chat({ stream: true }, { signal: gone.signal });
    await expect.poll(() => loadOf('b0'), { timeout: 10_000 }).toEqual({ running: 1, waiting: 0, kvUsage: 0.25 });
    const told = await fetch(`http://127.0.0.1:${service.adminAddress?.port}/fleet`);
    expect(await told.json()).toMatchObject({ backends: [{ running: 1, waiting: 0, kv_cache: 0.25 }] });
    gone.abort();
    await stream.text().catch(() => '');
    expect(engine.posts).toHaveLength(1);
  });

  it('is nothing, and no failure, where the engine does not tell it', async () => {
    const engine = await startScriptedEngine({ imitates: 'llamacpp' });
    engine.override('/metrics', reply(501));
    const { metric } = await start({
      engines: [],
      others: [{ engine: 'llamacpp', url: engine.url, probe: quickProbe }],
    });
    const failures = () => metric('switchyard_backend_probe_failures_total', { probe: 'load', reason: 'status' });
    await expect.poll(failures).toBe(1);
    expect(loadOf('a')).toBeUndefined();
    expect(current().service.states[0]?.health).toBe('up');
    await current().service.stop();
    await engine.close();
  });

  it('is not asked for where the engine knows none', async () => {
    const { engine } = await start({ engines: [{ imitates: 'ollama' }] });
    await expect.poll(() => engine.journal.length).toBeGreaterThan(10);
    expect(engine.journal.filter(({ path }) => path === '/metrics')).toEqual([]);
  });
});
