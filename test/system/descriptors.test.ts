import { describe, expect, it } from 'vitest';
import { chat } from './caller.ts';
import { systemTest } from './of-test.ts';

/** A bound for what would otherwise hang. */
const patiently = { timeout: 10_000 };

const { engine: startEngine, serve, wire } = systemTest();

describe('a router that may open few files', () => {
  it('says so at its start, refuses requests before connections, and recovers alone', async () => {
    const engine = await startEngine();
    const router = await serve(['--backend', engine.url], { openFiles: 600 });
    expect(router.log).toContainEqual(expect.objectContaining({ level: 40, open_files: 600, connections: 150 }));
    // On a connection of its own, because idle ones will be closed.
    expect((await chat(router, {}, { connection: 'close' })).status).toBe(200);

    // Of the 150 connections it takes, so many that there are few left; none of them says anything.
    const silent = await Promise.all(Array.from({ length: 140 }, () => wire(router.port)));
    await router.when(({ stderr }) => stderr.includes('"overload":"open_files"'));
    const refused = await chat(router);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain('server.overload.open_files');
    for (const path of ['/livez', '/readyz', '/metrics', '/v1/models'])
      expect((await fetch(router.url + path)).status).toBe(200);

    for (const one of silent) one.destroy();
    await router.when(({ stderr }) => stderr.includes('"room again'));
    expect((await chat(router)).status).toBe(200);
  });

  it('takes no more connections than it could serve, and counts those it did not take', async () => {
    const engine = await startEngine();
    const router = await serve(['--backend', engine.url], { openFiles: 600 });
    const many = await Promise.all(Array.from({ length: 170 }, () => wire(router.port)));
    await expect.poll(() => many.filter(({ closed }) => closed).length, patiently).toBe(20);
    for (const one of many) one.destroy();
    // Until they are gone there is none for this either, and then that is counted too.
    const metrics = async () => (await fetch(`${router.url}/metrics`)).text();
    await expect.poll(() => metrics().catch(() => ''), patiently).toContain('switchyard_overload');
    const [, dropped] = /rejections_total\{model="other",reason="connections"\} (\d+)/.exec(await metrics()) ?? [];
    expect(Number(dropped)).toBeGreaterThanOrEqual(20);
    expect(router.running).toBe(true);
  });
});
