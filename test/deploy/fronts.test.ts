import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answer, hang, stallsAfter } from '../support/scripted/behaviours.ts';
import type { RouterProcess } from '../support/router-process.ts';
import type { Script } from '../support/scripted/script.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';
import { systemTest } from '../system/of-test.ts';
import { question } from '../system/caller.ts';
import { type Front, startFront } from './fronts.ts';
import { get, open, post, readUntil } from './https.ts';

const { engine: startEngine, file, serve } = systemTest();

describe.each(['nginx', 'haproxy'] as const)('TLS in front of two routers with %s', (name) => {
  /** One behind each router, by which they can be told apart. */
  let engines: readonly [ScriptedEngine, ScriptedEngine];
  let routers: readonly [RouterProcess, RouterProcess];
  let front: Front | undefined;
  let at: Front;
  beforeEach(async () => {
    const server = 'server: { drain_delay: 3s, drain_timeout: 60s }';
    const options = { contextTokens: 100_000_000 };
    engines = [await startEngine(options), await startEngine(options)];
    const start = ({ url }: ScriptedEngine) =>
      serve(['-c', file(`version: 1\n${server}\nbackends: [{ url: "${url}" }]\n`)]);
    routers = [await start(engines[0]), await start(engines[1])];
    at = front = await startFront(name, [routers[0].port, routers[1].port]);
  });
  // Hooks run backwards, so the routers end after it.
  afterEach(async () => {
    await front?.stop();
    front = undefined;
  });

  const all = (count: (engine: ScriptedEngine) => number): number => count(engines[0]) + count(engines[1]);
  const respond = (script: Script): void => {
    for (const engine of engines) engine.respond(script);
  };

  it('hands on each event as it comes, while the answer goes on', async () => {
    respond(stallsAfter(2));
    const stream = await open(at, { ...question, stream: true });
    expect(stream.statusCode).toBe(200);
    expect(stream.headers['content-type']).toContain('text/event-stream');
    // The engine says nothing more: what has come is all there is.
    expect(await readUntil(stream, 'data: ')).not.toContain('[DONE]');
    expect(all(({ inFlight }) => inFlight)).toBe(1);
    stream.destroy();
  });

  it('tells the engine when the caller hangs up, within a stream', async () => {
    respond(stallsAfter(2));
    const stream = await open(at, { ...question, stream: true });
    await readUntil(stream, 'data: ');
    stream.destroy();
    await expect.poll(() => all(({ abortsSeen }) => abortsSeen), { timeout: 20_000 }).toBe(1);
    expect(all(({ inFlight }) => inFlight)).toBe(0);
  });

  it('carries large prompts to the router', async () => {
    const content = 'x'.repeat(8 * 2 ** 20);
    const { status } = await post(at, { ...question, messages: [{ role: 'user', content }] });
    expect(status).toBe(200);
    const [received] = engines.flatMap(({ posts }) => posts);
    expect(received?.body.length).toBeGreaterThan(content.length);
  });

  it('keeps metrics and whatever else is not for callers to itself', async () => {
    const statuses: number[] = [];
    for (const path of ['/metrics', '/livez', '/', '/fleet']) statuses.push((await get(at, path)).status);
    expect(statuses).toEqual([404, 404, 404, 404]);
    expect((await get(at, '/v1/models')).status).toBe(200);
  });

  it('goes to the other router when one is gone, without a failed request', async () => {
    await routers[0].kill();
    for (let n = 0; n < 6; n++) expect((await post(at, question)).status).toBe(200);
  });

  it('never asks twice for what was sent once', async () => {
    respond(hang());
    const answered = post(at, question);
    await expect.poll(() => all(({ inFlight }) => inFlight), { timeout: 20_000 }).toBe(1);
    respond(answer({ pieces: ['second'] }));
    await routers[engines[0].inFlight === 1 ? 0 : 1].kill();
    const { status, text } = await answered;
    expect({ status, twice: text.includes('second') }).toEqual({ status: 502, twice: false });
    expect(all(({ posts }) => posts.length)).toBe(1);
  });

  it('fails no request while a router is stopped', async () => {
    const [stopping] = routers;
    stopping.signal('SIGTERM');
    const statuses = new Set<number>();
    while (stopping.running) statuses.add((await post(at, question)).status);
    for (let n = 0; n < 4; n++) statuses.add((await post(at, question)).status);
    expect([...statuses]).toEqual([200]);
    expect(await stopping.ended).toEqual({ code: 0, signal: null });
  });
});
