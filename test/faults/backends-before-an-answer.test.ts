// Backends that fail before anything of an answer has left: rows 1 to 14 of the matrix. Two backends, of which the first
// gets whatever it can take; its circuit opens at the second failure in a row, so that "opens" means that both requests
// of a case were counted against it.
import { expect } from 'vitest';
import { startBlackHole } from '../support/black-hole.ts';
import type { Behaviour } from '../support/scripted/behaviours.ts';
import { answer, fault as faultOf, hang, hangUp, redirect, reply } from '../support/scripted/behaviours.ts';
import { faultMatrix, type World } from './matrix.ts';
import { type Answer, type EngineWishes, hasty, limitedKey, type Stand } from './stand.ts';

const { fault } = faultMatrix();

const twoStrikes = { consecutive: 2, open_for: '60s' };
const oneStrike = { consecutive: 1, open_for: '60s' };

function pair(
  { stand }: World,
  {
    engine = {},
    circuit = twoStrikes,
    timeouts = {},
  }: { engine?: EngineWishes; circuit?: object; timeouts?: object } = {},
) {
  return stand({ engines: [engine, engine], prefer: 'first', circuit: { ...circuit }, timeouts: { ...timeouts } });
}

async function opened(stand: Stand): Promise<Readonly<Record<string, number>>> {
  return (await stand.metrics()).by('switchyard_circuit_transitions_total', 'backend', { to: 'open' });
}

async function results(stand: Stand): Promise<Readonly<Record<string, number>>> {
  return (await stand.metrics()).by('switchyard_upstream_attempts_total', 'result');
}

const attemptsOf = ({ headers }: Answer): number => Number(headers.get('x-switchyard-attempts'));
const onceEach = { plain: 200, streamed: 200, attempts: [2, 2] };

/** One plain chat and one stream, both of which the first backend spoils. */
async function askBoth(stand: Stand) {
  const plain = await stand.ask();
  const streamed = await stand.stream();
  return { plain: plain.status, streamed: streamed.status, attempts: [attemptsOf(plain), attemptsOf(streamed)] };
}

fault(
  { row: 1, when: 'refuses connections, another is up', expected: '200, B+1, the other is asked once for each' },
  async (on) => {
    const stand = await pair(on);
    await stand.engine(0).refuse();
    const seen = await askBoth(stand);
    expect(seen).toEqual(onceEach);
    expect(await results(stand)).toEqual({ backend_unreachable: 2, ok: 2 });
    expect(await opened(stand)).toEqual({ a: 1 });
    expect(stand.engine(1).posts).toHaveLength(2);
    stand.unseenAttempts = 2;
    on.saw(seen, 'circuit of a open');
  },
);

fault(
  {
    row: 2,
    when: 'all refuse connections',
    expected:
      '502 backend_unreachable after two attempts, the allowance given back (no Retry-After: the table has none)',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{}, {}], limits: { requests_per_minute: 2, tokens_per_minute: 1_000 } });
    for (const engine of stand.engines) await engine.refuse();
    const answers: Answer[] = [];
    for (let n = 0; n < 5; n++) answers.push(await stand.ask({}, { headers: limitedKey }));
    expect(answers.map(({ status, errorType }) => [status, errorType])).toEqual(
      answers.map(() => [502, 'backend_unreachable']),
    );
    expect(answers.map(attemptsOf)).toEqual(Array(5).fill(2));
    expect(answers[0]?.headers.get('x-switchyard-error-source')).toBe('backend');
    await Promise.all(stand.engines.map((engine) => engine.listen()));
    const after = [await stand.ask({}, { headers: limitedKey }), await stand.ask({}, { headers: limitedKey })].map(
      ({ status }) => status,
    );
    expect(after).toEqual([200, 200]);
    expect((await stand.ask({}, { headers: limitedKey })).status).toBe(429);
    stand.unseenAttempts = 10;
    on.saw('502 ×5', 'attempts 2', { afterwards: after });
  },
);

fault(
  { row: 3, when: 'connections are black-holed', expected: '200 by another after the connect timeout, B+1' },
  async (on) => {
    const stand = await pair(on, { timeouts: hasty });
    await stand.engine(0).refuse();
    const hole = await startBlackHole(stand.engine(0).port);
    try {
      const seen = await askBoth(stand);
      expect(seen).toEqual(onceEach);
      expect(await results(stand)).toEqual({ backend_timeout: 2, ok: 2 });
      expect(await opened(stand)).toEqual({ a: 1 });
      stand.unseenAttempts = 2;
      on.saw(seen, await results(stand));
    } finally {
      await hole.close();
    }
  },
);

for (const [row, how] of [
  [4, 'fin'],
  [5, 'reset'],
] as const) {
  fault(
    { row, when: `accepts, then ends the connection (${how}) before any byte`, expected: '200 by another, B+1' },
    async (on) => {
      const stand = await pair(on);
      stand.engine(0).respond(hangUp(how));
      const seen = await askBoth(stand);
      expect(seen).toEqual(onceEach);
      expect(await results(stand)).toEqual({ backend_broken: 2, ok: 2 });
      expect(await opened(stand)).toEqual({ a: 1 });
      // A probe has left a kept connection: what is lost on it is tried once more on a new one.
      stand.silentTries = 2;
      on.saw(seen, 'circuit of a open');
    },
  );

  fault(
    { row, when: `ends a kept connection (${how}) just then`, expected: '200 by the same, one silent try, B0' },
    async (on) => {
      const stand = await on.stand({ engines: [{}, {}], prefer: 'first', circuit: oneStrike });
      expect((await stand.ask()).status).toBe(200);
      stand.engine(0).respond([hangUp(how)]);
      const again = await stand.ask();
      expect([again.status, attemptsOf(again)]).toEqual([200, 1]);
      expect(again.headers.get('x-switchyard-backend')).toBe('a');
      expect(stand.engine(0).posts).toHaveLength(3);
      expect(await results(stand)).toEqual({ ok: 2 });
      expect(await opened(stand)).toEqual({});
      stand.silentTries = 1;
      on.saw(again.status, 'attempts 1', 'engine asked twice', 'no circuit changed');
    },
  );
}

fault(
  {
    row: 7,
    when: 'hangs before headers, all of them',
    expected: '504 backend_timeout, x-should-retry false, tried once more, B+1, sockets closed',
  },
  async (on) => {
    const stand = await pair(on, { circuit: oneStrike, timeouts: hasty });
    for (const engine of stand.engines) engine.respond(hang());
    const seen = await stand.ask();
    expect([seen.status, seen.errorType, attemptsOf(seen)]).toEqual([504, 'backend_timeout', 2]);
    expect(seen.headers.get('x-should-retry')).toBe('false');
    expect(await opened(stand)).toEqual({ a: 1 });
    await expect.poll(() => stand.engines.map(({ abortsSeen }) => abortsSeen), { timeout: 1_000 }).toEqual([1, 1]);
    on.saw(seen.status, seen.errorType ?? '', 'x-should-retry false', 'circuit of a open', 'both hung up on');
  },
);

fault(
  { row: 7, when: 'hangs before headers, another is well', expected: '200 by another, B+1, the socket closed' },
  async (on) => {
    const stand = await pair(on, { timeouts: hasty });
    stand.engine(0).respond(hang());
    const seen = await askBoth(stand);
    expect(seen).toEqual(onceEach);
    expect(await opened(stand)).toEqual({ a: 1 });
    expect(stand.engine(0).abortsSeen).toBe(2);
    on.saw(seen, 'circuit of a open');
  },
);

fault(
  {
    row: 8,
    when: 'sends headers, and then no first event',
    expected: 'as 7: the stream was held; 504 backend_timeout after two, or 200 by another, B+1',
  },
  async (on) => {
    const silent = answer({ headAt: 'once', firstMs: 60_000 });
    const stand = await pair(on, { timeouts: hasty });
    for (const engine of stand.engines) engine.respond(silent);
    const none = await stand.stream();
    expect([none.status, none.errorType, attemptsOf(none)]).toEqual([504, 'backend_timeout', 2]);
    expect(none.headers.get('x-should-retry')).toBe('false');
    stand.engine(1).respond([]);
    const other = await stand.stream();
    expect([other.status, other.events.at(-1)]).toEqual([200, '[DONE]']);
    expect(await opened(stand)).toEqual({ a: 1 });
    on.saw(none.status, none.errorType ?? '', { other: other.status }, 'circuit of a open');
  },
);

fault(
  {
    row: 9,
    when: 'answers 500 with a JSON error',
    expected: "another's 200, B+1; from all of them: the 500 as sent after two attempts",
  },
  async (on) => {
    const stand = await pair(on);
    stand.engine(0).respond(faultOf('internal', { as: 'status' }));
    const seen = await askBoth(stand);
    expect(seen).toEqual(onceEach);
    expect(await opened(stand)).toEqual({ a: 1 });
    const all = await on.stand({ engines: [{}, {}, {}] });
    for (const engine of all.engines) engine.respond(faultOf('internal', { as: 'status' }));
    const none = await all.ask();
    expect([none.status, attemptsOf(none)]).toEqual([500, 2]);
    const last = all.engines.flatMap(({ posts }) => posts).toSorted((a, b) => b.startedAt - a.startedAt)[0];
    expect(none.bytes.equals(last?.sent ?? Buffer.alloc(0))).toBe(true);
    on.saw(seen, { all: none.status, asSent: true });
  },
);

const fullOrLoading: readonly (readonly [EngineWishes['imitates'] & string, Behaviour])[] = [
  ['llamacpp', reply(503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } })],
  ['ollama', reply(503, { error: { message: 'server busy, please try again.  maximum pending requests exceeded' } })],
];
for (const [imitates, behaviour] of fullOrLoading) {
  fault(
    {
      row: 10,
      when: `503, loading or busy (${imitates})`,
      expected: "another's 200, B0, left alone for a moment; alone: the 503 as sent",
    },
    async (on) => {
      const stand = await pair(on, { engine: { imitates }, circuit: oneStrike });
      stand.engine(0).respond([behaviour]);
      const first = await stand.ask();
      expect([first.status, attemptsOf(first)]).toEqual([200, 2]);
      const second = await stand.ask();
      expect([second.status, second.headers.get('x-switchyard-backend')]).toEqual([200, 'b']);
      expect(await opened(stand)).toEqual({});
      const single = await on.stand({ engines: [{ imitates }] });
      single.engine(0).respond(behaviour);
      const alone = await single.ask();
      expect([alone.status, attemptsOf(alone)]).toEqual([503, 1]);
      expect(alone.bytes.equals(single.engine(0).posts[0]?.sent ?? Buffer.alloc(0))).toBe(true);
      on.saw(first.status, 'next goes to b', 'no circuit changed', { alone: alone.status });
    },
  );
}

fault(
  {
    row: 11,
    when: '429 (TGI is overloaded)',
    expected: "another's 200, B0; alone: the 429 as sent with its Retry-After; then nobody asks until that is over",
  },
  async (on) => {
    const engine: EngineWishes = { imitates: 'tgi', models: ['test-model'] };
    const busy = faultOf('busy', { as: 'status', headers: { 'retry-after': '7' } });
    const stand = await pair(on, { engine, circuit: oneStrike });
    stand.engine(0).respond(busy);
    const first = await stand.ask();
    expect([first.status, attemptsOf(first)]).toEqual([200, 2]);
    expect(await opened(stand)).toEqual({});
    const single = await on.stand({ engines: [engine] });
    single.engine(0).respond(busy);
    const alone = await single.ask();
    expect([alone.status, alone.headers.get('retry-after')]).toEqual([429, '7']);
    const told = await single.ask();
    expect([told.status, told.errorType, attemptsOf(told)]).toEqual([503, 'overloaded', 0]);
    const waitSeconds = Number(told.headers.get('retry-after'));
    expect(waitSeconds).toBeGreaterThan(0);
    expect(waitSeconds).toBeLessThanOrEqual(7);
    on.saw(first.status, { alone: alone.status, retryAfter: 7 }, { next: told.status, retryAfter: waitSeconds });
  },
);

fault(
  { row: 12, when: '400, 404, 413, 422 from a backend', expected: 'status and body as sent, not retried, B0' },
  async (on) => {
    const stand = await pair(on, { circuit: oneStrike });
    const seen: number[] = [];
    for (const status of [400, 404, 413, 422]) {
      const body = `{"error":{"message":"one of the fields is wrong","type":"BadRequestError","param":null,"code":${status}}}`;
      stand.engine(0).respond(reply(status, body, { 'content-type': 'application/json' }));
      for (const stream of [false, true]) {
        const answer = await stand.ask({ stream });
        expect([answer.status, answer.text, attemptsOf(answer)]).toEqual([status, body, 1]);
        expect(answer.headers.get('x-switchyard-error-source')).toBe('backend');
        seen.push(answer.status);
      }
    }
    expect(stand.engine(1).posts).toEqual([]);
    expect(await opened(stand)).toEqual({});
    on.saw(seen, 'attempts 1', 'no circuit changed');
  },
);

for (const status of [401, 403]) {
  fault(
    {
      row: 13,
      when: `${status} from a backend: the fleet's key for it is wrong`,
      expected: "another's 200, B0, not asked again for now; alone: as sent, error source backend",
    },
    async (on) => {
      const stand = await pair(on, { circuit: oneStrike });
      const refusal = reply(status, { error: 'Unauthorized' });
      stand.engine(0).respond(refusal);
      const [first, second] = [await stand.ask(), await stand.ask()];
      expect([first.status, attemptsOf(first), second.status, attemptsOf(second)]).toEqual([200, 2, 200, 1]);
      expect(stand.engine(0).posts).toHaveLength(1);
      expect(await opened(stand)).toEqual({});
      const single = await on.stand();
      single.engine(0).respond(refusal);
      const alone = await single.ask();
      expect([alone.status, alone.text]).toEqual([status, '{"error":"Unauthorized"}']);
      expect(alone.headers.get('x-switchyard-error-source')).toBe('backend');
      on.saw(first.status, 'asked once', { alone: alone.status, source: 'backend' });
    },
  );
}

fault(
  {
    row: 14,
    when: 'redirects',
    expected:
      "another's 200, B+1 (the table tries elsewhere); alone: 502 backend_broken; Location never followed or shown",
  },
  async (on) => {
    const stand = await pair(on);
    const elsewhere = await on.stand();
    stand
      .engine(0)
      .respond((_entry, n) => redirect(`${elsewhere.engine(0).url}/v1/chat/completions`, n === 1 ? 302 : 308));
    const seen = await askBoth(stand);
    expect(seen).toEqual(onceEach);
    expect(await opened(stand)).toEqual({ a: 1 });
    stand.engine(1).respond(redirect('http://169.254.169.254/latest'));
    const none = await stand.ask();
    expect([none.status, none.errorType]).toEqual([502, 'backend_broken']);
    expect(none.text + JSON.stringify([...none.headers])).not.toMatch(/169\.254|location/i);
    expect(elsewhere.engine(0).posts).toEqual([]);
    on.saw(seen, { none: none.status }, 'Location not shown, not followed');
  },
);

fault(
  {
    row: 11,
    when: '429 with a Retry-After of an hour, alone',
    expected: 'the 429 as sent, its Retry-After at most 60, which is how long the router itself keeps away',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{ imitates: 'tgi' }] });
    stand.engine(0).respond(faultOf('busy', { as: 'status', headers: { 'retry-after': '3600' } }));
    const seen = await stand.ask();
    on.saw(seen.status, { retryAfter: seen.headers.get('retry-after') });
    expect(seen.status).toBe(429);
    expect(Number(seen.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  },
);
