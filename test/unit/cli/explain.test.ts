import { describe, expect, it } from 'vitest';
import { unpainted } from '../../../src/cli/colours.ts';
import { explainQuery } from '../../../src/cli/explain-query.ts';
import { explanationLines } from '../../../src/cli/explain.ts';

const secret = 'a-prompt-that-nobody-may-print';

describe('what the router is asked about a request', () => {
  it('are the sizes and needs of its body, and no word of it', () => {
    const body = {
      model: 'llama',
      max_tokens: 64,
      tools: [{ type: 'function', function: { name: 'f' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: secret },
            { type: 'image_url', image_url: {} },
          ],
        },
      ],
    };
    const asked = explainQuery({ prompt: Buffer.from(JSON.stringify(body)), tenant: 'search-team' });
    const query = 'query' in asked ? asked.query : new URLSearchParams();
    expect(query.toString()).not.toContain(secret);
    expect(Object.fromEntries(query)).toEqual({
      model: 'llama',
      endpoint: 'chat-completions',
      needs: 'tools,vision',
      prompt_bytes: `${secret.length + JSON.stringify(body.tools).length}`,
      max_tokens: '64',
      tenant: 'search-team',
    });
  });

  it.each([
    ['{"input": "abc"}', 'embeddings', '3'],
    ['{"prompt": "abcd"}', 'completions', '4'],
    ['{"messages": []}', 'chat-completions', null],
    ['Hällo', 'chat-completions', '6'],
    ['"quoted"', 'chat-completions', '8'],
  ])('of %s are those of %s', (prompt, endpoint, bytes) => {
    const asked = explainQuery({ model: 'm', prompt: Buffer.from(prompt) });
    expect(asked).not.toHaveProperty('note');
    expect('query' in asked && [asked.query.get('endpoint'), asked.query.get('prompt_bytes')]).toEqual([
      endpoint,
      bytes,
    ]);
  });

  it('is what flags say where they and the body differ', () => {
    const prompt = Buffer.from('{"model": "other", "messages": []}');
    const asked = explainQuery({ model: 'm', endpoint: 'embeddings', needs: ['audio'], prompt });
    expect('query' in asked && asked.query.toString()).toBe('model=m&endpoint=embeddings&needs=audio');
  });

  it('needs a model, a body that can be read, and tells of JSON that is none', () => {
    expect(explainQuery({})).toMatchObject({ problem: expect.stringContaining('--model') });
    expect(explainQuery({ prompt: Buffer.from('{"model": "m", "stream": 3}') })).toMatchObject({
      problem: expect.stringContaining('stream'),
    });
    expect(explainQuery({ model: 'm', prompt: Buffer.from('{"mess') })).toMatchObject({
      note: expect.stringContaining('plain text'),
    });
  });
});

describe('an explanation', () => {
  it('names the winner, why, and everybody else with the reason', () => {
    const candidate = { in_flight: 2, max_in_flight: null, weight: 2, why: null };
    const lines = explanationLines(
      {
        model: 'llama',
        endpoint: 'chat-completions',
        policy: 'least-connections',
        winner: 'gpu-a',
        why: 'It has the least in flight for its weight.',
        candidates: [
          { ...candidate, backend: 'gpu-a', verdict: 'winner', score: 1.5 },
          { ...candidate, backend: 'gpu-b', verdict: 'excluded', score: null, max_in_flight: 4, why: 'draining' },
        ],
      },
      unpainted,
    );
    expect(lines).toEqual([
      'llama (chat-completions, least-connections) goes to gpu-a.',
      'It has the least in flight for its weight.',
      '',
      'BACKEND  VERDICT   INFLIGHT  WEIGHT  SCORE  WHY',
      'gpu-a    winner    2         2       1.5    -',
      'gpu-b    excluded  2/4       2       -      draining',
    ]);
  });
});
