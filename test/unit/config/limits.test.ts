// Limits: where they may stand, what they become, and which of them contradict each other.
import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

const ofModel = (limits: string): string => fleetWith(`models:\n  m:\n    limits: ${limits}\n`);
const limitsOf = (limits: string) => valid(ofModel(limits)).fleet.models.get('m')?.limits;

describe('limits', () => {
  it('belong to keys, to tenants, to models and to a model for one tenant', () => {
    const { fleet, warnings } = valid(
      fleetWith(`auth:
  max_reserved_output_tokens: 512
  keys:
    - { tenant: a, key: "\${K}", limits: { requests_per_minute: 600, tokens_per_minute: 400000, concurrent: 40 } }
    - { tenant: b, key: "\${L}" }
  tenants:
    a:
      limits: { requests_per_day: 7, input_tokens_per_minute: 8, output_tokens_per_minute: 9 }
      model_limits: { m: { tokens_per_day: 5000000 }, unheard-of: {} }
    b:
models:
  m: { limits: { tokens_per_minute: 100000 } }
`),
      { env: { K: 'k', L: 'l' } },
    );
    expect(warnings).toEqual([]);
    expect(fleet.auth.maxReservedOutputTokens).toBe(512);
    expect(fleet.auth.keys[0]?.limits).toEqual({ requestsPerMinute: 600, tokensPerMinute: 400_000, concurrent: 40 });
    expect(fleet.auth.keys[1]).not.toHaveProperty('limits');
    expect([...fleet.auth.tenants]).toEqual([
      [
        'a',
        {
          limits: { requestsPerDay: 7, inputTokensPerMinute: 8, outputTokensPerMinute: 9 },
          modelLimits: new Map([
            ['m', { tokensPerDay: 5_000_000 }],
            ['unheard-of', {}],
          ]),
        },
      ],
      ['b', { modelLimits: new Map() }],
    ]);
    expect(fleet.models.get('m')?.limits).toEqual({ tokensPerMinute: 100_000 });
  });

  it('have no field for what is left out', () => {
    expect(Object.keys(limitsOf('{}') ?? { no: 'limits' })).toEqual([]);
    expect(Object.keys(limitsOf('{ concurrent: 1, requests_per_day: }') ?? {})).toEqual(['concurrent']);
    expect(Object.keys(limitsOf('{ requests_per_minute: 1, burst: { requests: 2, tokens: } }')?.burst ?? {})).toEqual([
      'requests',
    ]);
  });

  it('take a bare burst for the one kind that is limited per minute, and a mapping for both', () => {
    expect(limitsOf('{ requests_per_minute: 60, tokens_per_day: 9, burst: 5 }')?.burst).toEqual({ requests: 5 });
    expect(limitsOf('{ tokens_per_minute: 60, burst: 5 }')?.burst).toEqual({ tokens: 5 });
    expect(limitsOf('{ input_tokens_per_minute: 6, output_tokens_per_minute: 6, burst: 5 }')?.burst).toEqual({
      tokens: 5,
    });
    expect(
      limitsOf('{ requests_per_minute: 6, output_tokens_per_minute: 6, burst: { requests: 1, tokens: 2 } }')?.burst,
    ).toEqual({ requests: 1, tokens: 2 });
  });

  it('may come from variables', () => {
    const text = ofModel('\n      requests_per_minute: ${N}\n      burst: ${B:-5}');
    expect(valid(text, { env: { N: '60' } }).fleet.models.get('m')?.limits).toEqual({
      requestsPerMinute: 60,
      burst: { requests: 5 },
    });
    expect(said(text, { env: { N: '60', B: '0' } })).toEqual([
      'fleet.yaml:8:14: error: must be at least 1 at models.m.limits.burst',
    ]);
  });

  it.each([
    ['5', '6:13: error: expected a mapping, found a number at models.m.limits'],
    [
      '{ request_per_minute: 1 }',
      '6:15: error: unknown key "request_per_minute" at models.m.limits (did you mean "requests_per_minute"?)',
    ],
    ['{ concurrent: 0 }', '6:27: error: must be at least 1 at models.m.limits.concurrent'],
    ['{ concurrent: 1.5 }', '6:27: error: expected a whole number, found a number at models.m.limits.concurrent'],
    [
      '{ tokens_per_day: 1000000000001 }',
      '6:31: error: must be at most 1000000000000 at models.m.limits.tokens_per_day',
    ],
    [
      '{ requests_per_minute: 1, burst: [] }',
      '6:46: error: expected a number or a mapping, found a list at models.m.limits.burst',
    ],
    [
      '{ requests_per_minute: 1, burst: lots }',
      '6:46: error: expected a number or a mapping, found text at models.m.limits.burst',
    ],
    [
      '{ requests_per_minute: 1, burst: 1.5 }',
      '6:46: error: expected a whole number, found a number at models.m.limits.burst',
    ],
    ['{ requests_per_minute: 1, burst: 0 }', '6:46: error: must be at least 1 at models.m.limits.burst'],
    [
      '{ requests_per_minute: 1, burst: { requests: x } }',
      '6:58: error: expected a number, found text at models.m.limits.burst.requests',
    ],
    [
      '{ requests_per_minute: 1, burst: { request: 5 } }',
      '6:48: error: unknown key "request" at models.m.limits.burst (did you mean "requests"?)',
    ],
    [
      '{ requests_per_minute: 1, input_tokens_per_minute: 1, burst: 5 }',
      '6:74: error: one burst for both requests and tokens at models.m.limits.burst (write burst: { requests: N, tokens: N })',
    ],
    [
      '{ requests_per_day: 1, burst: 5 }',
      '6:43: error: a burst without a limit per minute at models.m.limits.burst (give requests_per_minute or tokens_per_minute beside it)',
    ],
    [
      '{ tokens_per_minute: 1, burst: { requests: 5 } }',
      '6:56: error: a burst of requests without requests_per_minute at models.m.limits.burst.requests (give both, or neither)',
    ],
    [
      '{ requests_per_minute: 1, burst: { tokens: 5 } }',
      '6:56: error: a burst of tokens without tokens per minute at models.m.limits.burst.tokens (give one of tokens_per_minute, input_tokens_per_minute, output_tokens_per_minute beside it)',
    ],
  ])('that make no sense are refused: %s', (limits, problem) => {
    expect(said(ofModel(limits))).toEqual([`fleet.yaml:${problem}`]);
  });

  it('are checked wherever they stand', () => {
    const wrong = '{ burst: 1 }';
    const lines = said(
      fleetWith(`auth:
  keys: [{ tenant: t, key: "\${K}", limits: ${wrong} }]
  tenants: { t: { limits: ${wrong}, model_limits: { m: ${wrong} } } }
models: { m: { limits: ${wrong} } }
`),
      { env: { K: 'k' } },
    );
    expect(lines.map((line) => / at (\S+)/.exec(line.slice(line.indexOf('minute')))?.[1])).toEqual([
      'auth.keys[0].limits.burst',
      'auth.tenants.t.limits.burst',
      'auth.tenants.t.model_limits.m.burst',
      'models.m.limits.burst',
    ]);
  });

  it('are told in the words asked for', () => {
    const words = (more: string) => valid(fleetWith(more)).fleet.server.rateLimitHeaders;
    expect(words('')).toBe('openai');
    expect(words('server: { rate_limit_headers: both }\n')).toBe('both');
    expect(said(fleetWith('server: { rate_limit_headers: ieft }\n'))).toEqual([
      'fleet.yaml:4:31: error: expected one of openai, ietf, both, found "ieft" at server.rate_limit_headers (did you mean "ietf"?)',
    ]);
  });
});
