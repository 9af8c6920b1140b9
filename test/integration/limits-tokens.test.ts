// Tokens: reserved from an estimate, settled with what the answer really cost, and what a stream must tell for it.
import { describe, expect, it } from 'vitest';
import type { AuthSettings, Limits } from '../../src/fleet/fleet.ts';
import { expectNothingHeld, type RouterWishes, routerPerTest } from '../support/running-router.ts';
import { readUntil } from '../support/read-until.ts';
import { answer, diesAfter, stallsAfter } from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();

/** A day gives back so little in a test that numbers stay whole. */
const day = { tokensPerDay: 10_000 };

function limitedTo(limits: Limits, more: Partial<AuthSettings> = {}): RouterWishes {
  return { auth: { tenants: new Map([['anonymous', { limits, modelLimits: new Map() }]]), ...more } };
}

const kinds = ['vllm', 'sglang', 'tgi', 'ollama', 'llamacpp', 'localai', 'openai'] as const;

function remaining({ headers }: Response): number {
  return Number(headers.get('x-ratelimit-remaining-tokens'));
}

/** What everything before it has cost: a request that reserves one token of input and none of output. */
async function spent(): Promise<number> {
  return 10_000 - remaining(await current().chat({ max_tokens: 0 })) - 1;
}

describe('a request', () => {
  it('takes its estimate before it is answered: a token for four bytes, and the caller’s own bound', async () => {
    const { chat } = await start(limitedTo(day));
    const messages = [{ role: 'user', content: 'x'.repeat(4_000) }];
    expect(remaining(await chat({ messages, max_tokens: 500 }))).toBe(8_500);
  });

  it('takes no more for a large bound than the fleet file reserves at most', async () => {
    const { chat } = await start(limitedTo(day, { maxReservedOutputTokens: 300 }));
    expect(remaining(await chat({ max_tokens: 9_000_000 }))).toBe(9_699);
  });

  it('takes what is usual when it has no bound of its own, and learns what that is', async () => {
    const { chat, engine } = await start(limitedTo(day));
    engine.respond(answer({ count: 6, promptTokens: 4 }));
    expect(remaining(await chat())).toBe(9_743);
    // 231 is 256 and a tenth of the way to 6.
    expect(remaining(await chat())).toBe(10_000 - 10 - 1 - 231);
  });

  it('costs in the end what its answer reports', async () => {
    const { chat, engine } = await start(limitedTo(day));
    engine.respond([answer({ promptTokens: 40, count: 60 }), answer({ promptTokens: 900, count: 8 })]);
    await (await chat({ max_tokens: 4_000 })).text();
    const second = await chat({ max_tokens: 1 });
    expect(remaining(second)).toBe(10_000 - 100 - 2);
    expect(await spent()).toBe(1_008);
  });

  it('costs tokens of input, of output and of both, each by its own limit', async () => {
    const { chat, engine } = await start({
      ...limitedTo({ ...day, inputTokensPerMinute: 100_000, outputTokensPerMinute: 100_000 }),
      server: { rateLimitHeaders: 'ietf' },
    });
    engine.respond([answer({ promptTokens: 4_000, count: 2_000 })]);
    await (await chat({ max_tokens: 1 })).text();
    const left =
      (await chat({ max_tokens: 1 })).headers
        .get('ratelimit')
        ?.match(/(?<=r=)\d+/g)
        ?.map(Number) ?? [];
    const [input = 0, output = 0, both = 0] = left;
    // A minute gives back more than 1,600 in each second of this test.
    expect(input).toBeGreaterThanOrEqual(95_999);
    expect(output).toBeGreaterThanOrEqual(97_999);
    expect(input).toBeLessThan(output);
    expect(both).toBe(3_998);
  });

  it('for embeddings takes and costs only its input', async () => {
    const wishes = { ...limitedTo(day), engines: [{ imitates: 'openai' }] as const };
    const { post } = await start(wishes);
    const response = await post('/v1/embeddings', { model: 'test-model', input: 'x'.repeat(400) });
    expect(remaining(response)).toBe(9_900);
    await response.text();
    expect(await spent()).toBe(5);
  });
});

describe.each(kinds)('a stream of %s, with a limit of tokens', (imitates) => {
  const behind = { ...limitedTo(day), engines: [{ imitates }] };

  it('is asked for its usage, which the caller has not asked for and does not see', async () => {
    const { chat, engine } = await start(behind);
    engine.respond([answer({ promptTokens: 40, count: 12 })]);
    const text = await (await chat({ stream: true, max_tokens: 400 })).text();
    expect(engine.posts[0]?.json['stream_options']).toEqual({ include_usage: true });
    expect(text).toContain('t12 ');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(text).not.toContain('"prompt_tokens":40');
    expect(text).not.toMatch(/"choices":\s*\[\]/);
    expect(await spent()).toBe(52);
  });

  it('shows its usage to a caller that has asked for it', async () => {
    const { chat, engine } = await start(behind);
    engine.respond([answer({ promptTokens: 40, count: 12 })]);
    const asking = { stream: true, stream_options: { include_usage: true } };
    const text = await (await chat(asking)).text();
    expect(text).toMatch(/"prompt_tokens":\s*40/);
    expect(await spent()).toBe(52);
  });
});

describe('a stream with a limit of tokens', () => {
  it.each([
    [{}, { include_usage: true }],
    [{ include_usage: false }, { include_usage: true }],
    [{ other: 1 }, { include_usage: true, other: 1 }],
    [null, { include_usage: true }],
  ])('is asked for its usage whatever it was told: %j', async (streamOptions, sent) => {
    const { chat, engine } = await start(limitedTo(day));
    const text = await (await chat({ stream: true, stream_options: streamOptions })).text();
    expect(engine.posts[0]?.json['stream_options']).toEqual(sent);
    expect(text).not.toContain('"total_tokens"');
  });

  it('is not asked when only requests are limited: not a byte is changed', async () => {
    const { post, engine } = await start(limitedTo({ requestsPerMinute: 9, concurrent: 9 }));
    const body = '{"model":"test-model" , "stream":true,"messages":[{"role":"user","content":"hi"}]}';
    await (await post('/v1/chat/completions', body)).text();
    expect(engine.posts[0]?.body.toString()).toBe(body);
  });

  it('of completions costs what it reports, too', async () => {
    const { post, engine } = await start(limitedTo(day));
    engine.respond([answer({ promptTokens: 40, count: 12 })]);
    const text = await (
      await post('/v1/completions', { model: 'test-model', prompt: 'x', stream: true, max_tokens: 900 })
    ).text();
    expect(text).toContain('t12 ');
    expect(text).not.toContain('"prompt_tokens"');
    expect(await spent()).toBe(52);
  });

  it('whose engine tells no usage costs the estimated input, and its events of content', async () => {
    const { chat, engine } = await start(limitedTo(day));
    engine.respond([answer({ usage: 'never', count: 20 })]);
    const messages = [{ role: 'user', content: 'x'.repeat(4_000) }];
    await (await chat({ messages, stream: true, max_tokens: 4_000 })).text();
    // The last event tells why it ended, and counts as one.
    expect(await spent()).toBe(1_000 + 21);
  });

  it('that breaks off costs what of it has left', async () => {
    const { chat, engine } = await start(limitedTo(day));
    engine.respond([diesAfter(8)]);
    await (await chat({ stream: true, max_tokens: 4_000 })).text().catch(() => '');
    // The first of eight events tells only the role.
    expect(await spent()).toBe(1 + 7);
  });

  it('that the caller leaves costs what of it has left', async () => {
    const { chat, engine } = await start(limitedTo(day));
    engine.respond([stallsAfter(5)]);
    const gone = new AbortController();
    await readUntil(await chat({ stream: true, max_tokens: 4_000 }, { signal: gone.signal }), 't4 ');
    gone.abort();
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
    await expectNothingHeld(current());
    expect(await spent()).toBe(1 + 4);
  });
});
