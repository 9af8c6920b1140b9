// Answers that tell their cost in ways of their own, or not at all: the caller pays for them all the same, and sees no more
// than it asked for.
import { describe, expect, it } from 'vitest';
import { type RouterWishes, routerPerTest } from '../support/running-router.ts';
import { answer, hang, reply } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();
/** Less than one comes back in the time of a test. */
const perDay = 10_000;

function limited(more: RouterWishes = {}): RouterWishes {
  const limits = { tokensPerDay: perDay };
  return { auth: { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]) }, ...more };
}

/** What everything before it has cost: a request that reserves one token of input and none of output. */
async function spent(chat: (extra: Readonly<Record<string, unknown>>) => Promise<Response>): Promise<number> {
  const { headers } = await chat({ max_tokens: 0 });
  return perDay - Number(headers.get('x-ratelimit-remaining-tokens')) - 1;
}

describe('an answer beyond 1 MiB', () => {
  it.each([
    ['at its end', (text: string, usage: object) => ({ object: 'chat.completion', choices: [{ text }], usage })],
    ['at its beginning', (text: string, usage: object) => ({ object: 'list', usage, data: [{ text }] })],
  ])('costs what it reports %s', async (_where, body) => {
    const { chat, engine } = await start(limited());
    engine.respond([reply(200, body('x'.repeat(1_500_000), { prompt_tokens: 5_000, completion_tokens: 700 }))]);
    expect((await (await chat()).text()).length).toBeGreaterThan(1_500_000);
    expect(await spent(chat)).toBe(5_700);
  });
});

describe('an answer that reports nothing', () => {
  it('costs what such answers usually do', async () => {
    const { chat, engine } = await start(limited());
    engine.respond([
      reply(200, { object: 'chat.completion', choices: [{ message: { content: 'words '.repeat(500) } }] }),
    ]);
    await (await chat()).text();
    expect(await spent(chat)).toBe(1 + 256);
  });
});

describe('a request that is abandoned before its answer', () => {
  it('is not free once a backend has it', async () => {
    const { chat, engine } = await start({
      auth: { tenants: new Map([['anonymous', { limits: { requestsPerMinute: 1 }, modelLimits: new Map() }]]) },
    });
    engine.respond([hang()]);
    const gone = new AbortController();
    const abandoned = chat({}, { signal: gone.signal });
    await engine.when(({ posts }) => posts.length === 1);
    gone.abort();
    await expect(abandoned).rejects.toThrow(/abort/i);
    await expect.poll(() => engine.inFlight).toBe(0);
    expect((await chat()).status).toBe(429);
  });
});

describe('usage that was asked for behind the caller’s back', () => {
  it('is not asked for where it would show in every event', async () => {
    const { post, engine } = await start(limited({ engines: [{ imitates: 'ollama' }] }));
    engine.respond([answer({ count: 5 })]);
    const stream = await post('/v1/completions', { model: 'test-model', prompt: 'hi', stream: true });
    expect(await stream.text()).not.toContain('usage');
    expect(engine.posts[0]?.body.toString()).not.toContain('include_usage');
  });

  it('leaves what is no set of options for the backend to refuse', async () => {
    const { chat, engine } = await start(limited());
    await (await chat({ stream: true, stream_options: 'all' })).text();
    expect(engine.posts[0]?.body.toString()).toContain('"stream_options":"all"');
  });
});
