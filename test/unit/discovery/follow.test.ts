// What is believed of what is found: one bad answer takes nothing away.
import { describe, expect, it } from 'vitest';
import { createFollowers } from '../../../src/discovery/follow.ts';
import { type Group, keyOf } from '../../../src/fleet/discovery.ts';
import { aBackend } from '../../support/a-fleet.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const group: Group = {
  name: 'lab',
  template: aBackend({ name: 'lab' }),
  scheme: 'http',
  source: { kind: 'dns', name: 'boxes', port: 80 },
  everyMs: 10_000,
};

function following() {
  const clock = fakeClock();
  const told: string[] = [];
  let answer: readonly string[] | string = [];
  const look = () =>
    typeof answer === 'string'
      ? Promise.reject(Object.assign(new Error('x'), { code: answer }))
      : Promise.resolve([...answer]);
  const none = () => Promise.reject(Object.assign(new Error('x'), { code: 'ENODATA' }));
  const followers = createFollowers({
    clock,
    random: () => 0.5,
    ask: () => Promise.reject(new Error('no cluster')),
    cluster: { host: undefined, port: undefined, account: '/nowhere' },
    names: { resolve4: look, resolve6: none, resolveSrv: none, cancel() {} } as never,
    observer: {
      changed: () => told.push('changed'),
      failed: (_group, code, kept) => told.push(`${code}, ${kept} kept`),
      answers: (_group, found) => told.push(`found ${found}`),
      forgotten: (name) => told.push(`forgotten ${name}`),
    },
  });
  const settle = async () => {
    for (let n = 0; n < 30; n++) await Promise.resolve();
  };
  return {
    clock,
    followers,
    settle,
    said: () => told.splice(0),
    hosts: () => (followers.found().get(keyOf(group)) ?? []).map(({ host }) => host),
    async next(given: readonly string[] | string) {
      answer = given;
      clock.advance(10_000);
      await settle();
    },
  };
}

async function known(hosts: readonly string[]) {
  const on = following();
  const following1 = on.followers.follow([group]);
  await on.settle();
  await following1;
  await on.next(hosts);
  on.said();
  return on;
}

describe('a group', () => {
  it('keeps what it has while nobody answers, which is told once', async () => {
    const on = await known(['a', 'b']);
    for (let n = 0; n < 10; n++) await on.next('ETIMEOUT');
    expect(on.hosts()).toEqual(['a', 'b']);
    expect(on.said()).toEqual(['ETIMEOUT, 2 kept']);
    await on.next(['a', 'c']);
    expect(on.said()).toEqual(['found 2', 'changed']);
    await on.followers.close();
  });

  it('is believed to be empty when it has been so for three rounds, not before', async () => {
    const on = await known(['a']);
    await on.next([]);
    await on.next([]);
    await on.next([]);
    expect([on.hosts(), on.said()]).toEqual([['a'], ['empty, 1 kept']]);
    on.clock.advance(1);
    await on.next([]);
    expect(on.hosts()).toEqual([]);
    expect(on.said().slice(0, 2)).toEqual(['found 0', 'changed']);
    await on.followers.close();
  });

  it('begins anew to count when something answers or fails between two empty answers', async () => {
    const on = await known(['a']);
    for (const between of [['a'], 'ESERVFAIL', ['b']]) {
      await on.next([]);
      await on.next([]);
      await on.next(between);
    }
    expect(on.hosts()).toEqual(['b']);
    await on.followers.close();
  });

  it('says nothing when the same is found again', async () => {
    const on = await known(['a', 'b']);
    await on.next(['b', 'a']);
    expect(on.said()).toEqual(['found 2']);
    await on.followers.close();
  });

  it('is empty from the start where nothing is found, and waits for nobody', async () => {
    const on = following();
    const followed = on.followers.follow([group]);
    await on.settle();
    await followed;
    expect([on.hosts(), on.said()]).toEqual([[], ['found 0', 'changed']]);
    await on.next([]);
    expect(on.said()).toEqual(['found 0']);
    await on.followers.close();
    expect(on.clock.waiting).toBe(0);
  });

  it('is not looked up while it is disabled, and forgotten when it is gone', async () => {
    const on = await known(['a']);
    await on.followers.follow([{ ...group, template: { ...group.template, state: 'disabled' } }]);
    expect(on.followers.found().size).toBe(0);
    expect(on.said()).toEqual(['forgotten lab']);
    expect(on.clock.waiting).toBe(0);
  });

  it('is what it was before when it is followed under another name or interval while nobody answers', async () => {
    const on = await known(['a', 'b']);
    const other = { ...group, name: 'renamed', everyMs: 20_000 };
    await on.next('ESERVFAIL');
    const following = on.followers.follow([group, other]);
    await on.settle();
    await following;
    expect((on.followers.found().get(keyOf(other)) ?? []).map(({ host }) => host)).toEqual(['a', 'b']);
    await on.followers.close();
  });

  it('is not followed any more after the end, whoever asks for it', async () => {
    const on = await known(['a']);
    const reloading = on.followers.follow([group, { ...group, name: 'new' }]);
    await on.followers.close();
    await reloading;
    await on.followers.follow([group]);
    expect(on.followers.found().size).toBe(0);
    expect(on.clock.waiting).toBe(0);
  });
});
