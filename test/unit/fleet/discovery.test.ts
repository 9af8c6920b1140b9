// The fleet of the file together with what was found.
import { describe, expect, it } from 'vitest';
import { type Found, type Group, keyOf, withFound } from '../../../src/fleet/discovery.ts';
import type { Backend } from '../../../src/fleet/fleet.ts';
import { aBackend, aFleet, type FleetWishes } from '../../support/a-fleet.ts';

const one = (host: string, more: Partial<Found> = {}): Found => ({
  name: `${host}:80`,
  host,
  port: 80,
  share: 1,
  isLeaving: false,
  ...more,
});

const aGroup = (template: Partial<Backend> = {}, more: Partial<Group> = {}): Group => ({
  name: 'lab',
  template: aBackend({ name: 'lab', ...template }),
  scheme: 'http',
  source: { kind: 'dns', name: 'boxes.internal', port: 80 },
  everyMs: 30_000,
  ...more,
});

function whole(found: readonly Found[], group = aGroup(), wishes: FleetWishes = {}) {
  return withFound(aFleet({ backends: [], groups: [group], ...wishes }), new Map([[keyOf(group), found]]));
}

describe('a backend that was found', () => {
  it('has the settings of its group, a name and a URL of its own', () => {
    const group = aGroup(
      { engine: 'ollama', weight: 2, bearer: 'secret', tls: { fingerprint: 'f' } },
      { scheme: 'https' },
    );
    const [found] = whole([one('10.0.0.1', { port: 8443, name: '10.0.0.1:8443' })], group).backends;
    expect(found).toEqual({ ...group.template, name: 'lab/10.0.0.1:8443', url: 'https://10.0.0.1:8443', weight: 2 });
  });

  it('gets its share of the weight, and is drained while it is leaving', () => {
    const { backends } = whole([one('a', { share: 0.5 }), one('b', { isLeaving: true })], aGroup({ weight: 4 }));
    expect(backends.map(({ weight, state }) => [weight, state])).toEqual([
      [2, 'enabled'],
      [4, 'draining'],
    ]);
  });

  it('may have an IPv6 address', () => {
    expect(whole([one('fd00::1')]).backends[0]?.url).toBe('http://[fd00::1]');
  });

  it.each(['a b', 'a/../b', 'x@y', '', 'a:b', 'a?b', '[::1'])('is left out where %j is its address', (host) => {
    expect(whole([one(host)]).backends).toEqual([]);
  });

  it('is left out where the file lists that box, or another under its name', () => {
    const listed = [
      { name: 'own', url: 'http://10.0.0.1:80', state: 'disabled' as const },
      { name: 'lab/b:80', url: 'http://elsewhere' },
    ];
    const backends = listed.map((backend) => ({ ...backend, url: new URL(backend.url).origin }));
    const fleet = whole([one('10.0.0.1'), one('b'), one('c')], aGroup(), { backends });
    expect(fleet.backends.map(({ name }) => name)).toEqual(['own', 'lab/b:80', 'lab/c:80']);
  });

  it('knows a model under the name that its group has for it', () => {
    const models = { m: { backendNames: new Map([['lab', 'their-m']]) }, n: {} };
    const fleet = whole([one('a'), one('b')], aGroup(), { models });
    expect([...(fleet.models.get('m')?.backendNames ?? [])]).toEqual([
      ['lab', 'their-m'],
      ['lab/a:80', 'their-m'],
      ['lab/b:80', 'their-m'],
    ]);
  });

  it('changes nothing of a fleet without any', () => {
    const fleet = aFleet();
    expect(withFound(fleet, new Map())).toBe(fleet);
  });
});
