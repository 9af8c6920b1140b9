// Tenants, the keys they are made of, and when those end.
import { describe, expect, it } from 'vitest';
import { loadFleet } from '../../../src/config/load.ts';
import { fleetWith, said, valid } from './support.ts';

const team = '{ tenant: search-team, key: "${K}" }';
const withTenants = (tenants: string, keys = team): string =>
  fleetWith(`auth:\n  keys: [${keys}]\n  tenants: ${tenants}\nmodels: { m: { aliases: [x] } }\n`);
const env = { K: 'k' };

describe('a tenant', () => {
  it('that has no key is a warning, with the one that was probably meant', () => {
    expect(said(withTenants('{ serach-team: {} }'), { env })).toEqual([
      'fleet.yaml:6:14: warning: no key has this tenant at auth.tenants (did you mean "search-team"? tenants: search-team)',
    ]);
    expect(said(withTenants('{ ml: {} }'), { env: { ...env, API_KEYS: 'j' } })).toEqual([
      'fleet.yaml:6:14: warning: no key has this tenant at auth.tenants (tenants: search-team, default)',
    ]);
  });

  it('called default is the one of API_KEYS', () => {
    const text = withTenants('{ default: { limits: { concurrent: 1 } } }');
    expect(said(text, { env: { ...env, API_KEYS: 'j' } })).toEqual([]);
    expect(said(text, { env })).toEqual([
      'fleet.yaml:6:14: warning: no key has this tenant at auth.tenants (API_KEYS is not set; tenants: search-team)',
    ]);
  });

  it('called anonymous is everyone where no key is asked for', () => {
    const text = fleetWith('auth: { tenants: { anonymous: { limits: { concurrent: 1 } } } }\n');
    const { fleet, warnings } = valid(text);
    expect(warnings).toEqual([]);
    expect(fleet.auth.tenants.get('anonymous')?.limits).toEqual({ concurrent: 1 });
    expect(said(text, { env: { API_KEYS: 'j' } })).toHaveLength(1);
  });

  it('is not looked for while the tenant of a key cannot be read', () => {
    expect(said(withTenants('{ ml: {} }', '{ tenant: 5, key: "${K}" }'), { env })).toEqual([
      'fleet.yaml:5:20: error: expected text, found a number at auth.keys[0].tenant (put it in quotes)',
    ]);
  });

  it('has limits for models, not for their aliases', () => {
    expect(said(withTenants('{ search-team: { model_limits: { x: {} } } }'), { env })).toEqual([
      'fleet.yaml:6:45: error: limits belong to the model, not an alias at auth.tenants.search-team.model_limits (write "m" instead)',
    ]);
    expect(said(withTenants('{ search-team: { model_limits: { m: {}, other: {} } } }'), { env })).toEqual([]);
  });

  it('says what limits a model has, if it names one', () => {
    expect(said(withTenants('{ search-team: { model_limits: { m: } } }'), { env })).toEqual([
      'fleet.yaml:6:45: error: required at auth.tenants.search-team.model_limits.m (write {} for no limits, or remove it)',
    ]);
  });

  it('has a name like those of keys', () => {
    expect(said(withTenants('{ "a b": {} }'), { env }).join('\n')).toContain('error: expected a name of at most 128');
  });
});

describe('a key that has expired', () => {
  const text = fleetWith('auth: { keys: [{ tenant: t, key: "${K}", expires: 2027-06-30 }] }\n');
  const end = Date.UTC(2027, 6, 1);

  it('is a warning from the end of its last day on', () => {
    expect(said(text, { env, nowMs: end - 1 })).toEqual([]);
    expect(said(text, { env, nowMs: end })).toEqual([
      'fleet.yaml:4:51: warning: this key has expired at auth.keys[0].expires (remove it, or give it a later day)',
    ]);
  });

  it('is held against the present time unless another is given', () => {
    const past = text.replace('2027-06-30', '1999-12-31');
    expect(loadFleet({ path: 'fleet.yaml', text: past, env })).toMatchObject({ warnings: [{ line: 4 }] });
  });
});
