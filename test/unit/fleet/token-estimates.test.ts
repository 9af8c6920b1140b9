import { describe, expect, it } from 'vitest';
import { TokenEstimates } from '../../../src/fleet/token-estimates.ts';

function repeat(times: number, run: () => void): void {
  for (let n = 0; n < times; n++) run();
}

describe('the estimate of what a prompt costs', () => {
  it('is four bytes to a token before anything is known, in whole tokens', () => {
    const estimates = new TokenEstimates();
    expect([0, 1, 4, 5, 4_000].map((bytes) => estimates.inputOf(bytes))).toEqual([0, 1, 1, 2, 1_000]);
  });

  it('goes to what the engine reports, a tenth of the way each time', () => {
    const estimates = new TokenEstimates();
    estimates.learnInput(1_000, 500);
    expect(estimates.inputOf(380)).toBe(100);
    repeat(200, () => estimates.learnInput(1_000, 500));
    expect(estimates.inputOf(1_000)).toBeCloseTo(500, -1);
  });

  it('learns nothing from short prompts, where the template is most of it, nor from no tokens at all', () => {
    const estimates = new TokenEstimates();
    repeat(100, () => {
      estimates.learnInput(199, 150);
      estimates.learnInput(5_000, 0);
    });
    expect(estimates.inputOf(4_000)).toBe(1_000);
  });

  it.each([
    ['a report of next to nothing', 1_000_000, 1, 8],
    ['a report of far too much', 1_000, 1_000_000, 1],
  ])('is not led astray by %s', (_name, bytes, tokens, bytesPerToken) => {
    const estimates = new TokenEstimates();
    repeat(500, () => estimates.learnInput(bytes, tokens));
    const expected = 10_000 / bytesPerToken;
    expect(Math.abs(estimates.inputOf(10_000) - expected)).toBeLessThanOrEqual(1);
  });
});

describe('the estimate of what an answer costs', () => {
  it('is 256 tokens before anything is known', () => {
    expect(new TokenEstimates().output()).toBe(256);
  });

  it('goes to what is usual, a tenth of the way each time, in whole tokens', () => {
    const estimates = new TokenEstimates();
    estimates.learnOutput(1_000);
    expect(estimates.output()).toBe(331);
    repeat(200, () => estimates.learnOutput(1_000));
    expect(estimates.output()).toBe(1_000);
    estimates.learnOutput(0);
    expect(estimates.output()).toBe(900);
  });

  it('of the answers of a tenant are its own once it has had any, and those of all others before', () => {
    const estimates = new TokenEstimates();
    expect(estimates.answerTo('a')).toBe(256);
    repeat(200, () => estimates.learnAnswer('a', 20));
    expect(estimates.answerTo('a')).toBeCloseTo(20, 0);
    expect(estimates.answerTo('b')).toBeCloseTo(20, 0);
    estimates.learnAnswer('b', 1_020);
    expect(estimates.answerTo('b')).toBeCloseTo(120, 0);
    expect(estimates.answerTo('a')).toBeCloseTo(20, 0);
  });
});
