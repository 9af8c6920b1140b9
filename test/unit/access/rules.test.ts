import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnlimited, type Rules } from '../../../src/access/rules.ts';
import { rulesFor } from './support.ts';

const one = { requestsPerMinute: 1 };
const everything = {
  requestsPerMinute: 1,
  tokensPerMinute: 2,
  inputTokensPerMinute: 3,
  outputTokensPerMinute: 4,
  requestsPerDay: 5,
  tokensPerDay: 6,
  concurrent: 7,
};

function idsOf({ rates, leases }: Rules): readonly string[] {
  return [...rates, ...leases].map(({ id }) => id);
}

describe('the rules of a caller on a model', () => {
  const yesOrNo = [false, true];
  const combinations = yesOrNo.flatMap((key) =>
    yesOrNo.flatMap((tenant) => yesOrNo.map((model) => ({ key, tenant, model }))),
  );

  it.each(combinations)('are those of every scope that has limits: $key $tenant $model', ({ key, tenant, model }) => {
    const rules = rulesFor({
      ...(key ? { key: everything, keyId: 'k' } : {}),
      ...(tenant ? { ofTenant: everything } : {}),
      ...(model ? { modelLimits: { m: everything } } : {}),
    })('m');
    const scopes = [...(key ? ['key'] : []), ...(tenant ? ['tenant'] : []), ...(model ? ['model'] : [])];
    expect([...new Set([...rules.rates, ...rules.leases].map(({ scope }) => scope))]).toEqual(scopes);
    expect(rules.rates).toHaveLength(6 * scopes.length);
    expect(rules.leases).toHaveLength(scopes.length);
    expect(new Set(idsOf(rules)).size).toBe(7 * scopes.length);
    expect(isUnlimited(rules)).toBe(scopes.length === 0);
  });

  it('name the model only where the limit is one of a model', () => {
    const { rates } = rulesFor({ key: one, ofTenant: one, modelLimits: { m: one } })('m');
    expect(rates.map(({ scope, model }) => [scope, model])).toEqual([
      ['key', undefined],
      ['tenant', undefined],
      ['model', 'm'],
    ]);
  });

  it('are the limits of the model where the tenant has none of its own on it', () => {
    const rules = rulesFor({ models: { m: { requestsPerMinute: 9 } }, modelLimits: { other: one } });
    expect(rules('m').rates.map(({ limit }) => limit)).toEqual([9]);
    expect(rules('other').rates.map(({ limit }) => limit)).toEqual([1]);
    expect(isUnlimited(rules('third'))).toBe(true);
  });

  it('are all of the limits the tenant has on the model, and none of the model itself', () => {
    const models = { m: { requestsPerMinute: 9, tokensPerDay: 9, concurrent: 9 } };
    const own = rulesFor({ models, modelLimits: { m: one } })('m');
    expect(own.rates.map(({ name, limit }) => [name, limit])).toEqual([['requests_per_minute', 1]]);
    expect(own.leases).toEqual([]);
    expect(isUnlimited(rulesFor({ models, modelLimits: { m: {} } })('m'))).toBe(true);
  });

  it('are built once for each model', () => {
    const rules = rulesFor({ ofTenant: one });
    expect(rules('m')).toBe(rules('m'));
    expect(rules('m')).not.toBe(rules('other'));
  });

  it.each([
    [{ requestsPerMinute: 1, requestsPerDay: 1, concurrent: 1 }, false],
    [{ tokensPerMinute: 1 }, true],
    [{ inputTokensPerMinute: 1 }, true],
    [{ outputTokensPerMinute: 1 }, true],
    [{ tokensPerDay: 1 }, true],
  ])('tell whether tokens matter: %j %s', (limits, countsTokens) => {
    expect(rulesFor({ key: limits })('m').countsTokens).toBe(countsTokens);
  });
});

describe('a rule', () => {
  it('holds the allowance of its whole window, and gets it back within it', () => {
    const { rates, leases } = rulesFor({ ofTenant: everything })('m');
    expect(rates.map(({ name, counts, capacity, windowSeconds }) => [name, counts, capacity, windowSeconds])).toEqual([
      ['requests_per_minute', 'requests', 1, 60],
      ['tokens_per_minute', 'tokens', 2, 60],
      ['input_tokens_per_minute', 'input', 3, 60],
      ['output_tokens_per_minute', 'output', 4, 60],
      ['requests_per_day', 'requests', 5, 86_400],
      ['tokens_per_day', 'tokens', 6, 86_400],
    ]);
    for (const { limit, perMs, windowSeconds } of rates) expect(perMs * windowSeconds * 1_000).toBeCloseTo(limit, 9);
    expect(leases.map(({ name, limit }) => [name, limit])).toEqual([['concurrent', 7]]);
  });

  it('holds its burst where one is given, at the same rate; a day has none', () => {
    const burst = { requests: 10, tokens: 20 };
    const plain = rulesFor({ ofTenant: everything })('m').rates;
    const { rates } = rulesFor({ ofTenant: { ...everything, burst } })('m');
    expect(rates.map(({ capacity }) => capacity)).toEqual([10, 20, 20, 20, 5, 6]);
    expect(rates.map(({ perMs }) => perMs)).toEqual(plain.map(({ perMs }) => perMs));
    expect(rates.map(({ limit }) => limit)).toEqual(plain.map(({ limit }) => limit));
  });

  it('of requests takes no burst of tokens, and the other way round', () => {
    const requests = rulesFor({ ofTenant: { ...everything, burst: { requests: 10 } } })('m').rates;
    expect(requests.map(({ capacity }) => capacity)).toEqual([10, 2, 3, 4, 5, 6]);
    const tokens = rulesFor({ ofTenant: { ...everything, burst: { tokens: 10 } } })('m').rates;
    expect(tokens.map(({ capacity }) => capacity)).toEqual([1, 10, 10, 10, 5, 6]);
  });
});

describe('the id of a counter', () => {
  const wishes = { key: everything, ofTenant: everything, modelLimits: { m: everything, n: everything } };
  const of = (tenant: string, keyId: string, model: string) => idsOf(rulesFor({ ...wishes, tenant, keyId })(model));

  it('is one for each counter and stays the same: a key, a tenant, a tenant on a model', () => {
    const shared = (a: readonly string[], b: readonly string[]) => a.filter((id) => b.includes(id)).length;
    expect(shared(of('t', 'k', 'm'), of('t', 'k', 'm'))).toBe(21);
    // The key's and the tenant's.
    expect(shared(of('t', 'k', 'm'), of('t', 'k', 'n'))).toBe(14);
    // The tenant's and the model's.
    expect(shared(of('t', 'k', 'm'), of('t', 'l', 'm'))).toBe(14);
    expect(shared(of('t', 'k', 'm'), of('u', 'k', 'm'))).toBe(0);
  });

  it('begins with the tenant in braces, so that a cluster keeps all of them in one slot', () => {
    for (const id of of('team-1', 'k', 'm')) expect(id).toMatch(/^\{team-1\}:/);
  });

  it('is no other one, however the model is called', () => {
    const name = fc.oneof(fc.constantFrom('all', 'key:k', 'all:concurrent', 'm:tokens_per_day', ':'), fc.string());
    fc.assert(
      fc.property(name, name, (a, b) => {
        const limits = {
          key: everything,
          keyId: 'k',
          ofTenant: everything,
          models: { [a]: everything, [b]: everything },
        };
        const rules = rulesFor(limits);
        const ids = new Set([...idsOf(rules(a)), ...idsOf(rules(b))]);
        expect(ids.size).toBe(a === b ? 21 : 28);
      }),
    );
  });
});
