import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../src/redis/connection.ts';
import { Settlements } from '../../../src/redis/settlements.ts';

/** A connection that fails as long as it is told to. */
function setting() {
  const sent: string[] = [];
  const state = { fails: true, failures: 0 };
  const connection: Connection = {
    isCluster: false,
    run(_script, keys) {
      sent.push(keys.join());
      return state.fails ? Promise.reject(new Error('Connection is closed.')) : Promise.resolve(1);
    },
    remove: () => Promise.resolve(),
    close: () => {},
  };
  const settlements = new Settlements(connection, () => state.failures++);
  return { settlements, sent, state };
}
const call = (name: string) => ({ keys: [name], args: [] });

describe('settlements', () => {
  it('that fail are sent again when Redis is back, once', async () => {
    const { settlements, sent, state } = setting();
    settlements.send(call('a'));
    await settlements.idle();
    expect([settlements.kept, state.failures]).toEqual([1, 1]);
    state.fails = false;
    settlements.sendKept();
    await settlements.idle();
    settlements.sendKept();
    expect([settlements.kept, sent]).toEqual([0, ['a', 'a']]);
  });

  it('that always fail are given up', async () => {
    const { settlements, sent } = setting();
    settlements.send(call('cursed'));
    for (let n = 0; n < 20; n++) {
      await settlements.idle();
      settlements.sendKept();
    }
    await settlements.idle();
    expect([settlements.kept, sent.length]).toEqual([0, 5]);
  });

  it('do not fill the memory in a long outage: the newest are kept', async () => {
    const { settlements, sent, state } = setting();
    for (let n = 0; n < 100_000; n++) settlements.keep(call(`s${n}`));
    expect(settlements.kept).toBeLessThanOrEqual(20_000);
    state.fails = false;
    settlements.sendKept();
    await settlements.idle();
    expect(sent.at(-1)).toBe('s99999');
  });
});
