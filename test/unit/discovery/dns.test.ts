// What the answers of a name server come to.
import { describe, expect, it } from 'vitest';
import { lookByName, type Names } from '../../../src/discovery/dns.ts';
import type { Found } from '../../../src/fleet/discovery.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const failing = (code: string) => Object.assign(new Error('the server says so'), { code });

/** Each look takes the next of what is given for its kind, and the last one again and again. */
async function looks(name: string, given: Partial<Record<'A' | 'AAAA' | 'SRV', readonly unknown[]>>, rounds = 1) {
  const turns = { A: 0, AAAA: 0, SRV: 0 };
  const next = (kind: 'A' | 'AAAA' | 'SRV') => {
    const all = given[kind] ?? [failing('ENODATA')];
    const one = all[Math.min(turns[kind]++, all.length - 1)];
    return one instanceof Error ? Promise.reject(one) : Promise.resolve(one);
  };
  const names = {
    resolve4: () => next('A'),
    resolve6: () => next('AAAA'),
    resolveSrv: () => next('SRV'),
    cancel() {},
  };
  const said: (readonly Found[] | string)[] = [];
  const clock = fakeClock();
  const parts = { clock, random: () => 0.5, everyMs: 30_000, names: names as unknown as Names };
  const looking = lookByName({ kind: 'dns', name, port: 8000 }, parts, {
    answered: (found) => said.push(found),
    failed: (code) => said.push(code),
  });
  const settle = async () => {
    for (let n = 0; n < 20; n++) await Promise.resolve();
  };
  await settle();
  for (let n = 1; n < rounds; n++) {
    clock.advance(30_000);
    await settle();
  }
  await looking.stop();
  expect(clock.waiting).toBe(0);
  return said;
}

const hostsOf = (said: readonly (readonly Found[] | string)[]) =>
  said.map((one) => (typeof one === 'string' ? one : one.map(({ host }) => host)));

describe('a name', () => {
  it('is every address it has, in an order of ours', async () => {
    const said = await looks('boxes', { A: [['10.0.0.2', '10.0.0.1']], AAAA: [['fd00::1']] });
    expect(said).toEqual([
      ['10.0.0.1', '10.0.0.2', 'fd00::1'].map((host) => ({
        name: `${host}:8000`,
        host,
        port: 8000,
        share: 1,
        isLeaving: false,
      })),
    ]);
  });

  it('that does not exist, or has no address, is nobody; a server that fails is a failure', async () => {
    expect(await looks('boxes', { A: [failing('ENOTFOUND')], AAAA: [failing('ENOTFOUND')] })).toEqual([[]]);
    expect(await looks('boxes', { A: [failing('ETIMEOUT')], AAAA: [failing('ETIMEOUT')] })).toEqual(['ETIMEOUT']);
    expect(await looks('boxes', { A: [failing('ESERVFAIL')] })).toEqual(['ESERVFAIL']);
  });

  it('keeps the addresses of a kind for which the server fails', async () => {
    const said = await looks('boxes', { A: [['10.0.0.1']], AAAA: [['fd00::1'], failing('ETIMEOUT')] }, 2);
    expect(hostsOf(said)).toEqual([
      ['10.0.0.1', 'fd00::1'],
      ['10.0.0.1', 'fd00::1'],
    ]);
  });
});

describe('SRV records', () => {
  const record = (name: string, more: object = {}) => ({ name, port: 1, priority: 0, weight: 0, ...more });

  it('are servers with ports of their own, of the lowest priority alone', async () => {
    const records = [record('b.lab'), record('a.lab', { port: 2 }), record('spare.lab', { priority: 10 })];
    const [found] = await looks('_x._tcp.lab', { SRV: [records] });
    expect(found).toMatchObject([
      { name: 'a.lab:2', host: 'a.lab', port: 2, share: 1 },
      { name: 'b.lab:1', host: 'b.lab', port: 1, share: 1 },
    ]);
  });

  it('share by weight, around 1', async () => {
    const records = [record('a', { weight: 60 }), record('b', { weight: 20 }), record('c', { weight: 0 })];
    const [found] = await looks('_x._tcp.lab', { SRV: [records] });
    const shares = typeof found === 'string' ? [] : (found ?? []).map(({ share }) => share);
    expect(shares[0]).toBeCloseTo(2.25);
    expect(shares[1]).toBeCloseTo(0.75);
    expect(shares[2]).toBeGreaterThan(0);
    expect(shares[2]).toBeLessThan(0.01);
  });

  it('that name the root say that there is nobody', async () => {
    expect(await looks('_x._tcp.lab', { SRV: [[record('')]] })).toEqual([[]]);
  });
});
