import { describe, expect, it } from 'vitest';
import type { FleetReport } from '../../../src/fleet/report.ts';
import { type Feed, startFeed } from '../../../src/page/feed.ts';
import { outcomeOf, pathOf } from '../../../src/page/actions.ts';
import { aReport } from '../../support/a-report.ts';
import { fakeClock } from '../../support/fake-clock.ts';

type Answer = { readonly status: number; readonly body?: unknown; readonly etag?: string };

function poll(answer: () => Answer | Error) {
  const clock = fakeClock(Date.parse(aReport().now));
  const feeds: Feed[] = [];
  const etags: (string | undefined)[] = [];
  const poller = startFeed({
    ask(etag) {
      etags.push(etag);
      const given = answer();
      if (given instanceof Error) return Promise.reject(given);
      const headers = new Headers(given.etag === undefined ? {} : { etag: given.etag });
      return Promise.resolve({ status: given.status, headers, json: () => Promise.resolve(given.body) });
    },
    nowMs: () => clock.now(),
    after: (ms, run) => clock.after(ms, run),
    changed: (feed) => void feeds.push(feed),
  });
  const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
  return {
    poller,
    feeds,
    etags,
    settle,
    pass: (ms: number) => {
      clock.advance(ms);
      return settle();
    },
  };
}

describe('the feed', () => {
  it('asks every two seconds with the tag of the last answer, and keeps the report where nothing has changed', async () => {
    let given: Answer = { status: 200, body: aReport(), etag: 'W/"a"' };
    const { feeds, etags, settle, pass } = poll(() => given);
    await settle();
    given = { status: 304 };
    await pass(1_999);
    expect(etags).toEqual([undefined]);
    await pass(1);
    expect(etags).toEqual([undefined, 'W/"a"']);
    expect(feeds[1]?.report).toBe(feeds[0]?.report);
    expect((feeds[1]?.answeredAtMs ?? 0) - (feeds[0]?.answeredAtMs ?? 0)).toBe(2_000);
    expect(feeds[1]?.samples).toHaveLength(2);
  });

  it('says why there is no answer, asks less often, keeps what it knows, and recovers by itself', async () => {
    let given: Answer | Error = { status: 200, body: aReport() };
    const { feeds, etags, settle, pass } = poll(() => given);
    await settle();
    given = new TypeError('Failed to fetch');
    await pass(2_000);
    expect([feeds[1]?.problem, feeds[1]?.report]).toEqual(['no connection to the router', feeds[0]?.report]);
    for (const pause of [2_000, 3_000, 4_500, 6_750, 10_000, 10_000]) {
      const before = etags.length;
      await pass(pause - 1);
      expect(etags).toHaveLength(before);
      await pass(1);
      expect(etags).toHaveLength(before + 1);
    }
    given = { status: 200, body: aReport() };
    await pass(10_000);
    expect(feeds.at(-1)?.problem).toBeUndefined();
  });

  it.each<[string, Answer]>([
    ['HTTP 403: no such host', { status: 403, body: { error: { type: 'forbidden', message: 'no such host' } } }],
    ['HTTP 502', { status: 502, body: undefined }],
    ['HTTP 304', { status: 304 }],
    ['the answer is not the report of a router', { status: 200, body: '<html>' }],
  ])('says "%s" of an answer that is none', async (problem, given) => {
    const { feeds, settle } = poll(() => given);
    await settle();
    expect(feeds.at(-1)?.problem).toBe(problem);
  });

  it('of a hidden page asks seldom, and at once when it is seen again', async () => {
    const { poller, etags, settle, pass } = poll(() => ({ status: 200, body: aReport() }));
    await settle();
    poller.setHidden(true);
    await pass(2_000);
    await pass(29_999);
    expect(etags).toHaveLength(2);
    poller.setHidden(false);
    expect(etags).toHaveLength(3);
  });

  it('knows how far the clock of the router is ahead', async () => {
    const ahead: FleetReport = aReport({ now: new Date(Date.parse(aReport().now) + 60_000).toISOString() });
    const { feeds, settle } = poll(() => ({ status: 200, body: ahead }));
    await settle();
    expect(feeds[0]?.aheadMs).toBe(60_000);
  });
});

describe('what a command came to', () => {
  const drain = { verb: 'drain', backend: 'a/b c', inFlight: 2 } as const;

  it('is asked for at a path that holds any name', () => {
    expect([pathOf(drain), pathOf({ verb: 'reload' })]).toEqual(['backends/a%2Fb%20c/drain', 'reload']);
  });

  it.each([
    [200, { backend: 'a', state: 'draining', in_flight: 2 }, 'done', 'a: draining, 2 in flight'],
    [200, { backend: 'a', state: 'draining', in_flight: 0 }, 'done', 'a: draining, nothing in flight'],
    [401, { error: { message: 'x' } }, 'wrong token', 'The router does not know this token.'],
    [403, { error: { message: 'set admin.token' } }, 'failed', 'drain: HTTP 403: set admin.token'],
    [500, undefined, 'failed', 'drain: HTTP 500'],
  ])('of %i %j is: %s', (status, body, result, text) => {
    expect(outcomeOf(drain, status, body)).toEqual({ result, text, lines: [] });
  });

  it('of a refused reload are its problems', () => {
    const body = { result: 'refused', config: '3f9c1a', problems: ['fleet.yaml:1:1: no'], passing: false };
    expect(outcomeOf({ verb: 'reload' }, 422, body)).toEqual({
      result: 'failed',
      text: 'reload: refused, 3f9c1a goes on',
      lines: ['fleet.yaml:1:1: no'],
    });
  });

  it('of an applied reload are the changes, and what needs a restart', () => {
    const body = {
      result: 'applied',
      config: '91be02',
      changes: '+1 backend',
      needs_restart: ['server.listen'],
      warnings: [],
    };
    expect(outcomeOf({ verb: 'reload' }, 200, body)).toEqual({
      result: 'done',
      text: 'reload: applied 91be02, +1 backend',
      lines: ['server.listen needs a restart'],
    });
  });
});
