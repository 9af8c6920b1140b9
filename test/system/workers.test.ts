// A process of several threads that serve: its ends, good and bad, and what it does where it can't have them.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshChat, freshChats } from '../support/fresh-calls.ts';
import { root, type RouterProcess } from '../support/router-process.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';
import { answer, stallsAfter } from '../support/scripted/behaviours.ts';
import { systemTest } from './of-test.ts';

const { engine: startEngine, file, serve, run } = systemTest();
const many = 16;

let engine: ScriptedEngine;
let trouble: string;
beforeEach(async () => {
  engine = await startEngine();
  trouble = mkdtempSync(join(tmpdir(), 'switchyard-trouble-'));
});
afterEach(() => rmSync(trouble, { recursive: true }));

function fleet(server: string): string {
  return file(`version: 1\nserver: { drain_delay: 0s, ${server} }\nbackends: [{ url: ${engine.url} }]\n`);
}

/** Its workers run out of memory, or hang, when they are told to. */
function troubled(): { readonly env: Readonly<Record<string, string>> } {
  const preload = pathToFileURL(join(root, 'test/support/worker-trouble.ts')).href;
  return { env: { TROUBLE: trouble, NODE_OPTIONS: `--max-old-space-size=128 --import ${preload}` } };
}

async function metric({ url }: RouterProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

async function openStreams({ port }: RouterProcess) {
  const streams = Array.from({ length: many }, () => freshChat(port, { stream: true }));
  await Promise.all(streams.map(({ begun }) => begun));
  return streams;
}

describe('a router with several workers', () => {
  it('has as many as there are cores where the fleet file leaves it to them', async () => {
    const router = await serve(['-c', fleet('workers: auto')]);
    const cores = availableParallelism();
    expect(await metric(router, 'switchyard_workers')).toBe(cores === 1 ? 0 : cores);
    router.signal('SIGTERM');
    expect(await router.ended).toEqual({ code: 0, signal: null });
  });

  it('finishes the streams of all of them on SIGTERM, and ends with 0', async () => {
    const router = await serve(['-c', fleet('workers: 3, drain_timeout: 30s')]);
    engine.respond(answer({ count: 20, gapMs: 30 }));
    const streams = await openStreams(router);
    router.signal('SIGTERM');
    const ended = await Promise.all(streams.map((stream) => stream.ended));
    expect(ended.filter(({ text }) => text.endsWith('data: [DONE]\n\n'))).toHaveLength(many);
    expect(await router.ended).toEqual({ code: 0, signal: null });
    expect(router.log.at(-1)).toMatchObject({ msg: 'stopped' });
  });

  it('ends at once on a second signal', async () => {
    const router = await serve(['-c', fleet('workers: 2, drain_timeout: 300s')]);
    engine.respond(stallsAfter(2));
    await openStreams(router);
    router.signal('SIGTERM');
    await router.when(({ stderr }) => stderr.includes('"stopping"'));
    router.signal('SIGTERM');
    expect(await router.ended).toEqual({ code: 1, signal: null });
  });

  it('writes one whole log line for every request, whichever thread it came to', async () => {
    const router = await serve(['-c', fleet('workers: 3')]);
    for (let round = 0; round < 5; round++) await freshChats(router.port, many);
    router.signal('SIGTERM');
    await router.ended;
    expect(router.log.filter((line) => Object(line).msg === 'request')).toHaveLength(5 * many);
  });

  it('applies another log level and another fleet file in all of them', async () => {
    const path = fleet('workers: 2');
    const router = await serve(['-c', path, '--no-watch']);
    const other = `models: { test-model: { aliases: [renamed] } }\nlogging: { level: warn }\n`;
    writeFileSync(path, `version: 1\nserver: { workers: 4 }\nbackends: [{ url: ${engine.url} }]\n${other}`);
    router.signal('SIGHUP');
    await router.when(({ stderr }) => stderr.includes('reloaded'));
    expect(router.log.at(-1)).toMatchObject({ needs_restart: ['server.workers'] });
    await expect
      .poll(async () => (await freshChats(router.port, many, { model: 'renamed' })).map(({ status }) => status))
      .toEqual(Array(many).fill(200));
    await freshChats(router.port, many, { stream: true });
    router.signal('SIGTERM');
    await router.ended;
    expect(router.log.filter((line) => Object(line).stream === true)).toEqual([]);
  });

  it('is told that its port is taken as one with a single thread is', async () => {
    const router = await serve(['-c', fleet('workers: 2')]);
    const second = await run(['serve', '--listen', `127.0.0.1:${router.port}`, '-c', fleet('workers: 2')]);
    expect(second).toMatchObject({ code: 3, stderr: expect.stringContaining('in use') });
    const alone = await run(['serve', '--listen', `127.0.0.1:${router.port}`, '-c', fleet('workers: 1')]);
    expect(alone.code).toBe(3);
  });
});

describe('a worker that has used up its memory', () => {
  it('dies alone and comes back', async () => {
    const router = await serve(['-c', fleet('workers: 2')], troubled());
    engine.respond(answer({ count: 30, gapMs: 50 }));
    const streams = await openStreams(router);
    writeFileSync(join(trouble, 'exhaust-1'), '');
    const ended = await Promise.all(streams.map((stream) => stream.ended));
    const whole = ended.filter((one) => one.whole);
    expect(whole.length).toBeGreaterThan(0);
    expect(whole.every(({ text }) => text.endsWith('data: [DONE]\n\n'))).toBe(true);
    expect(router.stderr).toContain('ERR_WORKER_OUT_OF_MEMORY');
    await expect.poll(() => metric(router, 'switchyard_workers'), { timeout: 15_000 }).toBe(2);
    engine.respond(answer());
    expect((await freshChats(router.port, many)).map(({ status }) => status)).toEqual(Array(many).fill(200));
    router.signal('SIGTERM');
    expect(await router.ended).toEqual({ code: 0, signal: null });
  });
});

describe('a worker that hangs', () => {
  it('does not keep the router from stopping', async () => {
    const router = await serve(['-c', fleet('workers: 2, drain_timeout: 1s')], troubled());
    writeFileSync(join(trouble, 'hang-0'), '');
    await expect.poll(() => existsSync(join(trouble, 'hang-0')), { timeout: 10_000 }).toBe(false);
    router.signal('SIGTERM');
    expect(await router.ended).toEqual({ code: 0, signal: null });
    expect(router.log).toContainEqual(expect.objectContaining({ msg: 'workers did not stop in time', workers: [0] }));
  });
});
