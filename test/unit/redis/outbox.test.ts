import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../src/redis/connection.ts';
import { Outbox } from '../../../src/redis/outbox.ts';

/** A connection that fails as long as it is told to. */
function setting() {
  const sent: string[] = [];
  const state = { fails: true, failures: 0 };
  const connection: Connection = {
    isCluster: false,
    run(_script, { keys }) {
      sent.push(keys.join());
      return state.fails ? Promise.reject(new Error('Connection is closed.')) : Promise.resolve(1);
    },
    remove: () => Promise.resolve(),
    close: () => {},
  };
  const outbox = new Outbox(connection, () => state.failures++);
  return { outbox, sent, state };
}
const message = (name: string, tenant = 't') => ({
  tenant,
  script: 'settle' as const,
  call: { keys: [name], args: [] },
});

describe('messages to Redis', () => {
  it('that fail are sent again when Redis is back, once', async () => {
    const { outbox, sent, state } = setting();
    outbox.send(message('a'));
    await outbox.idle();
    expect([outbox.kept, state.failures]).toEqual([1, 1]);
    state.fails = false;
    outbox.sendKept();
    await outbox.idle();
    outbox.sendKept();
    expect([outbox.kept, sent]).toEqual([0, ['a', 'a']]);
  });

  it('that always fail are given up', async () => {
    const { outbox, sent } = setting();
    outbox.send(message('cursed'));
    for (let n = 0; n < 60; n++) {
      await outbox.idle();
      outbox.sendKept();
    }
    await outbox.idle();
    expect([outbox.kept, sent.length]).toEqual([0, 30]);
  });

  it('do not fill the memory in a long outage: the newest are kept', async () => {
    const { outbox, sent, state } = setting();
    for (let n = 0; n < 100_000; n++) outbox.keep(message(`s${n}`));
    expect(outbox.kept).toBeLessThanOrEqual(20_000);
    state.fails = false;
    outbox.sendKept();
    await outbox.idle();
    expect(sent.at(-1)).toBe('s99999');
  });

  it('are sent again for one tenant while the server of another is still away', async () => {
    const { outbox, sent, state } = setting();
    outbox.keep(message('a', 'there'));
    outbox.keep(message('b', 'away'));
    state.fails = false;
    outbox.sendKept('there');
    await outbox.idle();
    expect([sent, outbox.kept]).toEqual([['a'], 1]);
  });
});
