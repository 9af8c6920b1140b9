// Models that stand in for others, as the fleet file says them.
import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

const fallbackOf = (text: string) =>
  valid(fleetWith(`models: { m: { fallback: ${text} } }\n`)).fleet.models.get('m')?.fallback;

describe('fallback', () => {
  it('as a list counts for every cause, and in parts for each by itself', () => {
    expect(fallbackOf('[a, b]')).toEqual({ no_backend: ['a', 'b'], overloaded: ['a', 'b'] });
    expect(fallbackOf('{ overloaded: [b] }')).toEqual({ no_backend: [], overloaded: ['b'] });
  });

  it.each([
    [
      fleetWith('models: { m: { aliases: [x], fallback: [x] } }\n'),
      'fleet.yaml:4:41: error: this is the model itself at models.m.fallback[0] (name another one, or remove it)',
    ],
    [
      fleetWith('models: { m: { fallback: { overloaded: [n, n] } } }\n'),
      'fleet.yaml:4:44: error: this model is named already at models.m.fallback.overloaded[1] (remove one of the two)',
    ],
    [
      'version: 1\nbackends: [{ url: "http://h:1", models: [a] }]\nmodels: { a: { fallback: [b] } }\n',
      'fleet.yaml:3:27: warning: no backend has this model at models.a.fallback[0] (check its name)',
    ],
    [
      fleetWith('models: { m: { fallback: n } }\n'),
      'fleet.yaml:4:26: error: expected a list or a mapping, found text at models.m.fallback',
    ],
    [
      fleetWith('models: { m: { fallback: { full: [n] } } }\n'),
      'fleet.yaml:4:28: error: unknown key "full" at models.m.fallback (known: no_backend, overloaded)',
    ],
  ])('is refused or doubted where it makes no sense: %s', (text, line) => {
    expect(said(text)).toContain(line);
  });
});
