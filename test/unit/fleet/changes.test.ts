import { describe, expect, it } from 'vitest';
import { changesBetween, describeChanges, identityOf, settingsForRestart } from '../../../src/fleet/changes.ts';
import type { Backend } from '../../../src/fleet/fleet.ts';
import { aBackend, aFleet } from '../../support/a-fleet.ts';

const named = (name: string, more: Partial<Backend> = {}) => ({ name, url: `http://${name}:8000`, ...more });

function between(before: readonly Partial<Backend>[], after: readonly Partial<Backend>[]) {
  return changesBetween(aFleet({ backends: before }), aFleet({ backends: after }));
}

describe('a backend', () => {
  it.each<[string, Partial<Backend>]>([
    ['weight', { weight: 3 }],
    ['bound on requests', { maxInFlight: 2 }],
    ['credential', { bearer: 'secret' }],
    ['probes', { probe: { intervalMs: 1, upAfter: 1, downAfter: 1 } }],
    ['models', { models: ['m'] }],
    ['state of draining', { state: 'draining' }],
  ])('stays the same one with another %s', (_what, more) => {
    expect(identityOf(aBackend(named('a', more)))).toBe(identityOf(aBackend(named('a'))));
    const { changed, replaced } = between([named('a')], [named('a', more)]);
    expect([changed.map(({ after }) => after.name), replaced]).toEqual([['a'], []]);
  });

  it.each<[string, Partial<Backend>]>([
    ['URL', { url: 'http://elsewhere:8000' }],
    ['engine', { engine: 'sglang' }],
    ['simulation', { simulate: { models: ['m'], firstTokenMs: 1, tokensPerSecond: 1 } }],
    ['decision about whether it is used at all', { state: 'disabled' }],
    ['certificate', { tls: { fingerprint: 'other' } }],
  ])('is another one with another %s', (_what, more) => {
    const { changed, replaced } = between([named('a')], [named('a', more)]);
    expect([changed, replaced.map(({ after }) => after.name)]).toEqual([[], ['a']]);
  });
});

describe('the changes between two fleets', () => {
  it('tell what comes, goes and stays, whatever its place in the list', () => {
    const changes = between([named('a'), named('b'), named('c')], [named('d'), named('c', { weight: 2 }), named('a')]);
    expect(changes.added.map(({ name }) => name)).toEqual(['d']);
    expect(changes.removed.map(({ name }) => name)).toEqual(['b']);
    expect(changes.changed.map(({ after }) => after.name)).toEqual(['c']);
    expect(changes.same.map(({ after }) => after.name)).toEqual(['a']);
    expect(describeChanges(changes)).toBe('+1 backend (d), -1 backend (b), 1 backend changed (c)');
  });

  it('name the other parts of the file that are not as before, maps included', () => {
    const before = aFleet({ models: { m: { aliases: ['x'] } } });
    const after = aFleet({ models: { m: { aliases: ['y'] } }, policy: 'round-robin' });
    expect(describeChanges(changesBetween(before, after))).toBe('models, routing');
    expect(describeChanges(changesBetween(before, before))).toBe('nothing that matters');
  });

  it('are told in a line that does not grow with the fleet', () => {
    const many = Array.from({ length: 500 }, (_, n) => named(`gpu-${n}`));
    expect(describeChanges(between([], many))).toBe(
      '+500 backends (gpu-0, gpu-1, gpu-2, gpu-3, gpu-4, gpu-5, gpu-6, gpu-7, …)',
    );
  });
});

describe('settings that need a restart', () => {
  it('are named as the fleet file names them', () => {
    const before = aFleet();
    const after = {
      ...aFleet({ server: { listen: { host: '127.0.0.1', port: 1 }, maxBodyBytes: 1 } }),
      admin: { listen: { host: '127.0.0.1', port: 2 }, isChosen: true, allowedHosts: [] },
      logging: { ...before.logging, format: 'pretty' as const, level: 'debug' as const },
    };
    expect(settingsForRestart(before, after)).toEqual(['server.listen', 'admin.listen', 'logging.format']);
    expect(settingsForRestart(before, before)).toEqual([]);
  });
});
