import { describe, expect, it } from 'vitest';
import { converters } from './convert.ts';
import { parseTrace } from './read.ts';
import { faster, spreadInTicks, traceOf } from './trace.ts';

describe('a trace', () => {
  it('is read from lines of JSON', () => {
    const text = [
      '{"at": 0.5, "input": 1100, "output": 0, "blocks": [7, 8, 9], "block_tokens": 512, "conversation": "c"}',
      '{"after": 0, "think": 2, "input": 1600, "output": 3, "blocks": [7, 8, 10], "block_tokens": 512}',
    ].join('\n');
    const { requests, blockTokens, chains } = parseTrace('t', `${text}\n`);
    expect(blockTokens).toBe(512);
    expect(requests[0]).toMatchObject({ atS: 0.5, input: 1100, output: 1, chain: [0, 1], conversation: 'c' });
    expect(requests[1]).toMatchObject({ after: 0, thinkS: 2, chain: [0, 1, 2] });
    expect(chains).toBe(3);
  });

  it('names everything that is wrong with its line', () => {
    const text = [
      '{"at": 1, "input": 5, "output": 1}',
      'nonsense',
      '[]',
      '{"at": 1, "input": 0, "output": 1}',
      '{"at": -1, "input": 5, "output": 1}',
      '{"input": 5, "output": 1}',
      '{"after": 6, "input": 5, "output": 1}',
      '{"at": 1, "input": 5, "output": 1, "blocks": [1]}',
      '{"at": 1, "input": 5, "output": 1, "blocks": ["a"], "block_tokens": 16}',
    ].join('\n');
    expect(() => parseTrace('t', text)).toThrow(
      [
        't:2: not JSON',
        't:3: not an object',
        't:4: input must be a whole number of tokens, 1 or more',
        't:5: at must be seconds, 0 or more',
        't:6: needs at or after',
        't:7: after must be the number of an earlier line, from 0',
        't:8: blocks need block_tokens',
        't:9: blocks must be a list of whole numbers',
      ].join('\n'),
    );
  });

  it('has blocks of one size', () => {
    const line = (tokens: number) => `{"at": 1, "input": 50, "output": 1, "blocks": [1], "block_tokens": ${tokens}}`;
    expect(() => parseTrace('t', `${line(16)}\n${line(32)}`)).toThrow('t:2: blocks of 32 tokens, those before had 16');
  });

  it('is not empty', () => {
    expect(() => parseTrace('t', '')).toThrow('t:1: not JSON');
  });

  it('gives a block after another beginning another name', () => {
    const line = (blocks: readonly number[]) => ({ at: 0, input: 64, output: 1, blocks, block_tokens: 16 });
    const { requests } = traceOf('t', [line([1, 2]), line([3, 2]), line([1, 2])], '');
    expect(requests.map(({ chain }) => chain)).toEqual([
      [0, 1],
      [2, 3],
      [0, 1],
    ]);
  });

  it('comes faster without people thinking faster', () => {
    const trace = traceOf(
      't',
      [
        { at: 10, input: 1, output: 1 },
        { after: 0, think: 4, input: 1, output: 1 },
      ],
      '',
    );
    expect(faster(trace, 2).requests.map(({ atS, thinkS }) => [atS, thinkS])).toEqual([
      [5, 0],
      [0, 4],
    ]);
  });

  it('is spread within the ticks of its clock', () => {
    const trace = traceOf(
      't',
      [
        { at: 3, input: 1, output: 1 },
        { at: 6, input: 1, output: 1 },
      ],
      '',
    );
    expect(spreadInTicks(trace, 3, () => 0.5).requests.map(({ atS }) => atS)).toEqual([4.5, 7.5]);
  });
});

describe('a public trace', () => {
  it('of Mooncake is converted', () => {
    const text = '{"timestamp": 3000, "input_length": 700, "output_length": 5, "hash_ids": [0, 4]}\n';
    expect(converters.mooncake(text)).toEqual([{ at: 3, input: 700, output: 5, blocks: [0, 4], block_tokens: 512 }]);
  });

  it('of Azure is converted', () => {
    const text =
      'TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:05.0319600,31,8\r\n';
    expect(converters.azure(text)).toEqual([
      { at: 0, input: 4808, output: 10 },
      { at: 1.052, input: 31, output: 8 },
    ]);
  });
});
