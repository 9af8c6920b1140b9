import { describe, expect, it } from 'vitest';
import { readUntil } from '../support/read-until.ts';
import { routerPerTest } from '../support/running-router.ts';
import { answer, diesAfter, errorAfter, hangUp, reply, stallsAfter } from '../support/scripted/behaviours.ts';

/** A bound for what would otherwise hang. */
const patiently = { timeout: 10_000 };

const { start, current } = routerPerTest();

function wasted(reason: string): Promise<number> {
  return current().metric('switchyard_wasted_tokens_total', { backend: 'b0', model: 'test-model', reason });
}

describe('tokens generated for nobody', () => {
  it('are what had come when the caller hung up', async () => {
    const { chat, engine } = await start();
    engine.respond(stallsAfter(4));
    const gone = new AbortController();
    const reader = await readUntil(await chat({ stream: true }, { signal: gone.signal }), 't3 ');
    gone.abort();
    await reader.closed.catch(() => {});
    await expect.poll(() => wasted('caller_left'), patiently).toBe(3);
    expect(await wasted('broken_stream')).toBe(0);
  });

  it.each([
    ['whose connection broke', diesAfter(3)],
    ['that ended in an error event', errorAfter(3)],
  ])('are the content of a stream %s', async (_name, behaviour) => {
    const { chat, engine } = await start();
    engine.respond(behaviour);
    await (await chat({ stream: true })).text().catch(() => '');
    await expect.poll(() => wasted('broken_stream'), patiently).toBeGreaterThanOrEqual(2);
    expect(await wasted('caller_left')).toBe(0);
  });

  it('are what a thrown-away reply says it has cost', async () => {
    const { chat, engine } = await start({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    const choices = [{ index: 0, message: { role: 'assistant', content: 'half' }, finish_reason: 'abort' }];
    const stopped = reply(200, {
      object: 'chat.completion',
      choices,
      usage: { prompt_tokens: 9, completion_tokens: 17 },
    });
    engine.respond([stopped]);
    for (let n = 0; n < 8 && engine.posts.length === 0; n++) expect((await chat()).status).toBe(200);
    expect(engine.posts.length).toBeGreaterThan(0);
    expect(await wasted('retry_replay')).toBe(17);
  });

  it('are none where everything was of use, or nothing was generated', async () => {
    const { chat, engine, get } = await start();
    for (const behaviour of [answer(), answer({ usage: 'never' }), hangUp()]) {
      engine.respond(behaviour);
      await (await chat({ stream: true })).text();
    }
    const text = await (await get('/metrics')).text();
    expect(text).toContain('# TYPE switchyard_wasted_tokens_total counter');
    expect(text).not.toContain('switchyard_wasted_tokens_total{');
  });
});
