import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, type RouterProcess } from '../support/router-process.ts';
import { answer, hang } from '../support/scripted/behaviours.ts';
import { chat, readAll } from './caller.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine: startEngine, file, serve } = systemTest();

async function start(bug: 'exception' | 'rejection', url: string, timeout = '60s'): Promise<RouterProcess> {
  const server = `{ drain_delay: 0s, drain_timeout: ${timeout} }`;
  const fleet = file(`version: 1\nserver: ${server}\nbackends: [{ url: ${url} }]\n`);
  const hook = join(root, 'test/support/bug-on-signal.ts');
  return serve(['-c', fleet], { env: { NODE_OPTIONS: `--import ${hook}`, BUG: bug, BUG_TEXT: secrets.prompt } });
}

function bugsIn({ log }: RouterProcess): readonly unknown[] {
  return log.filter((line) => JSON.stringify(line).includes('a bug in the router'));
}

describe('a bug that no request can answer for', () => {
  it.each([
    ['exception', 'TypeError'],
    ['rejection', 'Error'],
  ] as const)(
    '(an %s) is one line without what it quotes, and ends the process once streams are through',
    async (bug, name) => {
      const engine = await startEngine();
      const router = await start(bug, engine.url);
      engine.respond(answer({ count: 30, gapMs: 50 }));
      const stream = readAll(await chat(router, { stream: true }));
      router.signal('SIGUSR2');
      const { events, broken } = await stream;
      expect({ broken, last: events.at(-1) }).toEqual({ broken: false, last: '[DONE]' });
      expect(await router.ended).toEqual({ code: 1, signal: null });
      expect(bugsIn(router)).toEqual([
        expect.objectContaining({
          level: 60,
          kind: bug,
          cause: expect.stringMatching(new RegExp(`^${name}\\n {4}at `)),
        }),
      ]);
      expect(router.log.at(-1)).toMatchObject({ msg: 'stopped' });
    },
  );

  it('ends what it left without an answer when the time to drain is over', async () => {
    const engine = await startEngine();
    const router = await start('exception', engine.url, '300ms');
    engine.respond(hang());
    const answered = chat(router);
    await engine.when(({ inFlight }) => inFlight === 1);
    router.signal('SIGUSR2');
    const response = await answered;
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { type: 'draining' } });
    expect(await router.ended).toEqual({ code: 1, signal: null });
  });

  it('is not cut short by the first signal that comes after it, only by the second', async () => {
    const engine = await startEngine();
    const router = await start('exception', engine.url);
    engine.respond(answer({ count: 20, gapMs: 50 }));
    const stream = readAll(await chat(router, { stream: true }));
    router.signal('SIGUSR2');
    await router.when(({ stderr }) => stderr.includes('a bug in the router'));
    router.signal('SIGTERM');
    expect((await stream).events.at(-1)).toBe('[DONE]');
    expect((await router.ended).code).toBe(1);

    const other = await start('exception', engine.url);
    engine.respond(hang());
    const cut = chat(other).catch(() => 'cut');
    await engine.when(({ inFlight }) => inFlight === 1);
    other.signal('SIGUSR2');
    await other.when(({ stderr }) => stderr.includes('a bug in the router'));
    other.signal('SIGTERM');
    await other.when(({ stderr }) => stderr.includes('"stopping"'));
    other.signal('SIGTERM');
    expect(await other.ended).toEqual({ code: 1, signal: null });
    expect(await cut).toBe('cut');
  });
});
