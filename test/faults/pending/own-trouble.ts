// The router itself is in trouble: rows 79 and 82 of the matrix. Not run until it sheds load and ends in order. Few
// descriptors and a full heap need a process that is limited from outside, which is for the system tests.
import { join } from 'node:path';
import { expect } from 'vitest';
import { root } from '../../support/router-process.ts';
import { answer } from '../../support/scripted/behaviours.ts';
import { faultMatrix } from '../matrix.ts';

const { fault } = faultMatrix();
const trouble = (what: string) => ({
  NODE_OPTIONS: `--import ${join(root, 'test/faults/pending/trouble-on-signal.ts')}`,
  TROUBLE: what,
});

fault(
  {
    row: 79,
    when: 'the event loop is blocked for 2 s',
    expected: 'new requests get 503 overloaded before their body is read, streams live, it recovers alone',
  },
  async (on) => {
    const stand = await on.stand({ env: trouble('blocked') });
    stand.engine(0).respond(answer({ count: 60, gapMs: 100 }));
    const streams = Promise.all(Array.from({ length: 20 }, () => stand.stream()));
    await stand.engine(0).when(({ posts }) => posts.filter(({ sent }) => sent.includes('t2 ')).length === 20);
    stand.router.signal('SIGUSR2');
    await stand.router.when(({ stderr }) => stderr.includes('"overload":"event_loop'));
    const refused = await stand.ask();
    expect([refused.status, refused.errorType]).toEqual([503, 'overloaded']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    stand.engine(0).respond([]);
    await expect.poll(async () => (await stand.ask()).status, { timeout: 10_000, interval: 100 }).toBe(200);
    const seen = await streams;
    expect(seen.filter(({ broken, events }) => !broken && events.at(-1) === '[DONE]')).toHaveLength(20);
    on.saw(refused.status, refused.errorType ?? '', '20 whole', 'then 200');
  },
);

fault(
  {
    row: 82,
    when: 'an exception that nobody catches',
    expected: 'one line, streams run out, new connections are refused, the exit code is not 0',
  },
  async (on) => {
    const fleet = { server: { drain_delay: '0s', drain_timeout: '60s' } };
    const stand = await on.stand({ env: trouble('exception'), fleet });
    stand.engine(0).respond(answer({ count: 20, gapMs: 100 }));
    const streams = Promise.all(Array.from({ length: 20 }, () => stand.stream()));
    await stand.engine(0).when(({ posts }) => posts.filter(({ sent }) => sent.includes('t2 ')).length === 20);
    stand.router.signal('SIGUSR2');
    const seen = await streams;
    expect(seen.filter(({ broken, events }) => !broken && events.at(-1) === '[DONE]')).toHaveLength(20);
    expect((await stand.router.ended).code).toBe(1);
    expect(stand.router.stderr).not.toContain('a bug on purpose');
    on.saw('20 whole', 'exit 1');
  },
);
