// Answers that are no good: rows 15 to 27 of the matrix. A circuit that opens at once shows what was counted.
import { expect } from 'vitest';
import {
  answer,
  type Behaviour,
  cutAfterBytes,
  diesAfter,
  drip,
  emptyReply,
  endless,
  errorAfter,
  garbageStatusLine,
  html,
  hugeHeader,
  lengthAndChunked,
  oneHugeEvent,
  raw,
  stallsAfter,
} from '../support/scripted/behaviours.ts';
import { faultMatrix, type World } from './matrix.ts';
import { requestLines } from './readings.ts';
import { several } from './several.ts';
import { type Answer, hasty, limitedKey, type Stand } from './stand.ts';

const { fault } = faultMatrix();
const oneStrike = { consecutive: 1, open_for: '60s' };

/** The first gets everything; the other one is only there so that a circuit may open. */
function pair({ stand }: World, more: object = {}): Promise<Stand> {
  return stand({ engines: [{}, {}], prefer: 'first', circuit: oneStrike, ...more });
}

async function opened(stand: Stand): Promise<Readonly<Record<string, number>>> {
  return (await stand.metrics()).by('switchyard_circuit_transitions_total', 'backend', { to: 'open' });
}

function expectBrokenOff(seen: Answer, type: string, pieces: readonly string[]): void {
  expect([seen.status, seen.broken, seen.errorType]).toEqual([200, true, type]);
  expect(seen.text.match(/t\d+ /g)).toEqual(pieces);
  expect(seen.text).not.toContain('[DONE]');
}

for (const [row, when, behaviour, type] of [
  [15, 'is killed in mid-stream (reset)', diesAfter(3, 'reset'), 'backend_broken'],
  [15, 'is killed in mid-stream (FIN)', diesAfter(3, 'fin'), 'backend_broken'],
  [16, 'ends the body cleanly without [DONE]', diesAfter(3, 'end'), 'backend_broken'],
  [16, 'ends a body without a length, no [DONE]', diesAfter(3, 'fin', { transfer: 'close' }), 'backend_broken'],
  [18, 'falls silent in mid-stream', stallsAfter(3), 'backend_timeout'],
] as const) {
  fault(
    {
      row,
      when,
      expected: `the bytes so far, an error event ${type}, no [DONE], a broken end; not retried, B+1; charged what was sent`,
    },
    async (on) => {
      const stand = await pair(on, { limits: { concurrent: 1, tokens_per_minute: 10_000 }, timeouts: hasty });
      stand.engine(0).respond(behaviour);
      const seen = await stand.stream({}, { headers: limitedKey });
      expectBrokenOff(seen, type, ['t1 ', 't2 ']);
      expect(stand.posts).toHaveLength(1);
      expect(await opened(stand)).toEqual({ a: 1 });
      // Its lease is free again, and what it took of the allowance is about its prompt and its two tokens.
      const next = await stand.ask({ max_tokens: 1 }, { headers: limitedKey });
      const charged = 10_000 - Number(next.headers.get('x-ratelimit-remaining-tokens'));
      expect(next.status).toBe(200);
      expect(charged).toBeGreaterThan(2);
      expect(charged).toBeLessThan(100);
      on.saw(seen.text.match(/t\d+ /g) ?? [], seen.errorType ?? '', 'broken', 'circuit of a open', { charged });
    },
  );
}

fault(
  {
    row: 15,
    when: 'the process is killed in mid-stream',
    expected: 'as before, for each of its streams; none is retried',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{}, {}] });
    for (const engine of stand.engines) engine.respond(stallsAfter(3));
    const streams = Promise.all(Array.from({ length: 20 }, () => stand.stream()));
    await expect.poll(() => stand.engines.map(({ running }) => running)).toEqual([10, 10]);
    for (const engine of stand.engines)
      await engine.when(({ posts }) => posts.every(({ sent }) => sent.includes('t2 ')));
    await stand.engine(0).crash();
    await expect.poll(() => requestLines(stand.router).length).toBe(10);
    await stand.engine(1).crash();
    const seen = await streams;
    for (const one of seen) expectBrokenOff(one, 'backend_broken', ['t1 ', 't2 ']);
    expect(stand.posts).toHaveLength(20);
    on.saw('20 broken streams', '20 attempts');
  },
);

fault(
  {
    row: 19,
    when: 'drips one byte at a time',
    expected: 'each event as soon as it is whole, ends at the total limit with an error event, B0',
  },
  async (on) => {
    const timeouts = { first_byte: '2500ms', gap: '2500ms', total: '3s' };
    const stand = await pair(on, { timeouts });
    stand.engine(0).respond(drip(1, { count: 200 }));
    const response = await stand.open({ stream: true });
    const reader = response.body?.getReader();
    const first = Buffer.from((await reader?.read())?.value ?? '').toString();
    // It has only just begun: nothing was collected.
    expect(first.split('\n\n').length).toBeLessThan(5);
    reader?.releaseLock();
    const seen = await stand.read(response);
    stand.compared(seen);
    expect([seen.broken, seen.errorType]).toEqual([true, 'backend_timeout']);
    const sent = stand.engine(0).posts[0]?.sent.toString() ?? '';
    expect(sent.startsWith(first + seen.text.slice(0, seen.text.lastIndexOf('data: ')))).toBe(true);
    expect(await opened(stand)).toEqual({});
    on.saw(`${first.length} bytes first`, seen.errorType ?? '', 'no circuit changed');
  },
);

fault(
  {
    row: 20,
    when: 'events split at every byte, with LF, CRLF, CR, a byte order mark, UTF-8 cut in two',
    expected: 'bytes identical at the caller, usage found in each',
    timeoutMs: 90_000,
  },
  async (on) => {
    const stand = await on.stand();
    const pieces = ['é', '😀x'];
    const reply = { pieces, usage: 'always', promptTokens: 7 } as const;
    const whole = await stand.stream();
    const shapes = [{}, { lineEnd: '\r\n' }, { lineEnd: '\r' }, { byteOrderMark: true }] as const;
    const length = whole.bytes.length + 400;
    let count = 0;
    for (const [index, shape] of shapes.entries()) {
      // Every place in the usual form, every third in the others.
      const step = index === 0 ? 1 : 3;
      const places = Array.from({ length: Math.ceil(length / step) }, (_, n) => n * step + 1);
      stand.engine(0).respond((_entry, n) => answer({ ...reply, framing: { ...shape, split: [places[n - 1] ?? 1] } }));
      const seen = await several(places.length, 12, () => stand.stream());
      expect(new Set(seen.map(({ status, broken }) => `${status} ${broken}`))).toEqual(new Set(['200 false']));
      count += places.length;
    }
    const tokens = (await stand.metrics()).by('switchyard_tokens_total', 'type');
    expect(tokens).toEqual({ input: 7 * count, output: 2 * count });
    on.saw(`${count} streams identical`, tokens);
  },
);

fault(
  {
    row: 21,
    when: 'malformed JSON in an event',
    expected: 'forwarded untouched, B0, tokens estimated',
  },
  async (on) => {
    const stand = await pair(on);
    const good = 'data: {"choices":[{"index":0,"delta":{"content":"t1 "},"finish_reason":null}]}\n\n';
    const bad = 'data: {"choices":[{"index":0,"delta":{"content":"usage"\n\n data: ,\n\ndata: {"usage":{"prompt\n\n';
    const body = `${good}${bad}${good}data: [DONE]\n\n`;
    stand
      .engine(0)
      .respond(raw(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n${body}`));
    const seen = await stand.stream();
    expect([seen.status, seen.broken, seen.text]).toEqual([200, false, body]);
    stand.compared(seen);
    expect(await opened(stand)).toEqual({});
    const metrics = await stand.metrics();
    expect(metrics.total('switchyard_usage_missing_total', { backend: 'a' })).toBe(1);
    on.saw(seen.status, 'identical', 'no circuit changed', 'usage counted as missing');
  },
);

fault(
  {
    row: 22,
    when: 'an error event and [DONE] from vLLM, after content',
    expected: 'forwarded with its [DONE], logged as failed, B+1',
  },
  async (on) => {
    const stand = await pair(on);
    stand.engine(0).respond(errorAfter(3));
    const seen = await stand.stream();
    expect([seen.status, seen.broken, seen.events.at(-1)]).toEqual([200, false, '[DONE]']);
    expect(seen.events.at(-2)).toContain('EngineCore encountered an issue');
    await expect.poll(() => requestLines(stand.router).map(({ outcome }) => outcome)).toEqual(['backend_error']);
    expect(await opened(stand)).toEqual({ a: 1 });
    on.saw(seen.status, 'event and [DONE] as sent', 'outcome backend_error', 'circuit of a open');
  },
);

for (const [name, behaviour] of [
  ['HTML', html()],
  ['an empty body', emptyReply()],
] as const) {
  fault(
    { row: 23, when: `200 with ${name}`, expected: "another's 200, B+1; from all of them: 502 backend_broken" },
    async (on) => {
      const stand = await pair(on);
      stand.engine(0).respond(behaviour);
      const other = await stand.ask();
      expect([other.status, other.headers.get('x-switchyard-attempts')]).toEqual([200, '2']);
      expect(await opened(stand)).toEqual({ a: 1 });
      stand.engine(1).respond(behaviour);
      const none = await stand.ask();
      expect([none.status, none.errorType]).toEqual([502, 'backend_broken']);
      on.saw(other.status, 'circuit of a open', { all: none.status });
    },
  );
}

fault(
  {
    row: 24,
    when: 'a stream was asked for and JSON came, and the other way round',
    expected: 'forwarded as it is with its content type, B0',
  },
  async (on) => {
    const stand = await pair(on);
    stand.engine(0).respond([answer({ shape: 'plain' }), answer({ shape: 'stream' })]);
    const json = await stand.stream();
    expect([json.status, json.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(json.bytes.equals(stand.engine(0).posts[0]?.sent ?? Buffer.alloc(0))).toBe(true);
    const events = await stand.ask();
    expect([events.status, events.events.at(-1)]).toEqual([200, '[DONE]']);
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    expect(await opened(stand)).toEqual({});
    on.saw('JSON as JSON', 'events as events', 'no circuit changed');
  },
);

fault(
  {
    row: 26,
    when: 'an endless body, an endless event, an event of 64 MiB',
    expected: 'cut at 1 MiB or at the total limit, error event or 502, memory flat, B+1 (B0 for the total limit)',
  },
  async (on) => {
    const stand = await on.stand({
      engines: [{}],
      timeouts: { first_byte: '2500ms', first_byte_plain: '2500ms', gap: '2500ms', total: '3s' },
    });
    const memory = async () => (await stand.metrics()).total('process_resident_memory_bytes') / 2 ** 20;
    const beforeMiB = await memory();
    const engine = stand.engine(0);
    const seen: (readonly [string, number, string | undefined])[] = [];
    for (const [name, behaviour, stream] of [
      ['endless event', endless('one-event'), true],
      ['event of 64 MiB', oneHugeEvent(64 * 2 ** 20), true],
      ['bytes without structure', endless('bytes'), false],
    ] as const) {
      engine.respond(behaviour);
      const one = await stand.ask({ stream });
      expect([name, one.status, one.errorType]).toEqual([name, 502, 'backend_broken']);
      seen.push([name, one.status, one.errorType]);
    }
    engine.respond(endless('events'));
    const { bytes, text, broken } = await drain(await stand.open({ stream: true }));
    expect([broken, /"type":"(\w+)"/.exec(text)?.[1]]).toEqual([true, 'backend_timeout']);
    const grownMiB = Math.round((await memory()) - beforeMiB);
    expect(grownMiB).toBeLessThan(150);
    expect(engine.posts.every(({ ending }) => ending === 'aborted')).toBe(true);
    on.saw(...seen, { endlessEvents: `${Math.round(bytes / 2 ** 20)} MiB, then backend_timeout` }, { grownMiB });
  },
);

/** Reads to the end and keeps only the last event. */
async function drain({ body }: Response): Promise<{ bytes: number; text: string; broken: boolean }> {
  let bytes = 0;
  let text = '';
  let broken = false;
  try {
    for await (const piece of body ?? []) {
      bytes += piece.length;
      text = (text + Buffer.from(piece).toString('latin1')).slice(-1_000);
    }
  } catch {
    broken = true;
  }
  return { bytes, text, broken };
}

fault(
  {
    row: 27,
    when: 'a header of 20 KiB, both lengths, garbage, 100 Continue, a body cut short',
    expected: "another's 200, B+1 each; from all of them: 502 backend_broken",
  },
  async (on) => {
    const spoilt: readonly (readonly [string, Behaviour])[] = [
      ['20 KiB header', hugeHeader()],
      ['both lengths', lengthAndChunked()],
      ['garbage', garbageStatusLine()],
      ['100 Continue', answer({ interim: [100] })],
      ['cut short', cutAfterBytes(40)],
    ];
    for (const [name, behaviour] of spoilt) {
      const stand = await pair(on);
      stand.engine(0).respond(behaviour);
      const other = await stand.ask();
      expect([name, other.status, await opened(stand)]).toEqual([name, 200, { a: 1 }]);
      stand.engine(1).respond(behaviour);
      const none = await stand.ask();
      expect([name, none.status, none.errorType]).toEqual([name, 502, 'backend_broken']);
      stand.silentTries = 3;
      on.saw(`${name}: ${other.status}, ${none.status}`);
    }
  },
);

fault(
  {
    row: 27,
    when: '200 headers from a backend',
    expected: '200, and none of them passes: what is not on the list of headers that pass never does any harm',
  },
  async (on) => {
    const stand = await on.stand();
    const headers = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`x-many-${n}`, 'v']));
    stand.engine(0).respond(answer({ headers }));
    const seen = await stand.ask();
    expect([seen.status, [...seen.headers.keys()].filter((name) => name.startsWith('x-many'))]).toEqual([200, []]);
    on.saw(seen.status, 'none passed');
  },
);
