import { describe, expect, it } from 'vitest';
import { TokenEstimates } from '../../../src/fleet/token-estimates.ts';
import { asksOf, model } from '../routers/asks.ts';
import { Bodies } from './bodies.ts';
import { type TraceLine, traceOf } from './trace.ts';

function line(blocks: readonly number[], input: number): TraceLine {
  return { at: 0, input, output: 1, blocks, block_tokens: 512 };
}

const trace = traceOf('bodies', [line([1, 2], 1100), line([1, 2, 3, 4], 2100), line([1, 9], 1200)], 'bodies');
const bodies = trace.requests.map((request) => new Bodies(trace, { sessions: false }).of(request));

function messagesOf(body: Buffer | undefined): readonly { readonly role: string; readonly content: string }[] {
  const { messages } = JSON.parse(body?.toString('utf8') ?? '') as { messages: { role: string; content: string }[] };
  return messages;
}

describe('the body of a request', () => {
  it('is a chat of as many tokens as the trace says, at four bytes each', () => {
    const [system, first] = messagesOf(bodies[0]);
    expect(system).toEqual({ role: 'system', content: '' });
    expect(first?.content).toHaveLength(4 * 1100);
  });

  it('begins with all of the one it continues, and has an answer between', () => {
    const open = '"}]}'.length;
    const before = bodies[0]?.subarray(0, -open) ?? Buffer.alloc(0);
    expect(bodies[1]?.subarray(0, before.length).equals(before)).toBe(true);
    expect(messagesOf(bodies[1]).map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
  });

  it('shares with others the blocks that it shares in the trace, and no more', () => {
    const [one, other] = [messagesOf(bodies[0])[1]?.content ?? '', messagesOf(bodies[2])[1]?.content ?? ''];
    expect(one.slice(0, 4 * 512)).toBe(other.slice(0, 4 * 512));
    expect(one.slice(4 * 512, 4 * 512 + 64)).not.toBe(other.slice(4 * 512, 4 * 512 + 64));
  });

  it('puts blocks that everybody has into the system prompt', () => {
    const many = traceOf(
      'system',
      Array.from({ length: 100 }, (_, index) => line([0, index + 1], 1100)),
      'system',
    );
    const [system, user] = messagesOf(new Bodies(many, { sessions: false }).of(many.requests[0] ?? fail()));
    expect(system?.content).toHaveLength(4 * 512);
    expect(user?.content).toHaveLength(4 * (1100 - 512));
  });

  it('has a fingerprint whose points are those of the conversation before', () => {
    const asks = asksOf(trace, { sessions: false });
    const [first, second] = trace.requests.map((request) => asks.of(request, new TokenEstimates()).jobs?.get(model));
    expect(first?.knownBytes).toBe(0);
    expect(second?.knownBytes).toBeGreaterThan(4 * 1100);
    expect(second?.print.low.slice(0, first?.print.length)).toEqual(first?.print.low);
  });
});

function fail(): never {
  throw new Error('no request');
}
