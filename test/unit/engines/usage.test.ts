import { expect, test } from 'vitest';
import { findUsage, readUsage } from '../../../src/engines/usage.ts';

test('an embeddings reply has input tokens only', () => {
  expect(readUsage({ usage: { prompt_tokens: 8, total_tokens: 8 } })).toEqual({ inputTokens: 8, outputTokens: 0 });
});

test('cached and reasoning tokens are read where they are told', () => {
  expect(
    readUsage({
      usage: {
        prompt_tokens: 50,
        completion_tokens: 9,
        prompt_tokens_details: { cached_tokens: 32 },
        completion_tokens_details: { reasoning_tokens: 4 },
      },
    }),
  ).toEqual({ inputTokens: 50, outputTokens: 9, cachedInputTokens: 32, reasoningTokens: 4 });
});

test("SGLang's details may be null and its reasoning tokens stand beside the others", () => {
  const usage = {
    prompt_tokens: 5,
    total_tokens: 7,
    completion_tokens: 2,
    prompt_tokens_details: null,
    reasoning_tokens: 1,
  };
  expect(readUsage({ usage })).toEqual({ inputTokens: 5, outputTokens: 2, reasoningTokens: 1 });
});

test('usage that is missing, null or without numbers is none', () => {
  for (const usage of [undefined, null, {}, [], 'x', { prompt_tokens: '5' }, { prompt_tokens: -1 }]) {
    expect(readUsage({ usage })).toBeUndefined();
  }
});

test('is found at the end of a reply that is too long to parse, and not in a text that looks like it', () => {
  const usage = '"usage":{"prompt_tokens":20000,"total_tokens":20000,"prompt_tokens_details":{"cached_tokens":5}}';
  expect(findUsage(`0.1,0.2]}],${usage}}`)).toEqual({ inputTokens: 20_000, outputTokens: 0, cachedInputTokens: 5 });
  expect(findUsage(JSON.stringify({ content: `{"usage": {"prompt_tokens": 1}}` }))).toBeUndefined();
  expect(findUsage('"usage":null} "usage":{"prompt_tokens":')).toBeUndefined();
});
