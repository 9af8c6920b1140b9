// A stream whose backend dies anywhere in it, and that another one goes on with: the caller has it once and whole.
import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../../src/access/keyring.ts';
import { ungranted } from '../../../src/access/verdicts.ts';
import { plainCounters } from '../../../src/admission/counters.ts';
import { createSlots } from '../../../src/admission/slots.ts';
import { WaitingRoom } from '../../../src/admission/waiting-room.ts';
import { endpoints } from '../../../src/endpoints/index.ts';
import { Exchange } from '../../../src/routing/exchange.ts';
import type { ExchangeSettled, Upstream } from '../../../src/routing/ports.ts';
import { RetryBudget } from '../../../src/routing/retry-budget.ts';
import { createRoute } from '../../../src/routing/route.ts';
import { buildSnapshot, createSnapshots } from '../../../src/routing/snapshot.ts';
import { leastConnections } from '../../../src/selection/policies/least-connections.ts';
import { isObject, objectOf, objectsIn, parseJson, textOf } from '../../../src/wire/json-value.ts';
import { aCaller, aFleet } from '../../support/a-fleet.ts';
import { aRoster } from '../../support/a-roster.ts';
import { FakeCaller } from '../../support/fake-delivery.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const pieces = ['naïve', ' 🦊 ', '', '\n\n', 'fox, ', '"done"', '\\n [DONE] ', 'usage'];
const whole = pieces.join('');

interface Wishes {
  readonly lineEnd: string;
  readonly usage: 'none' | 'asked' | 'always';
}

/** All that a backend says that begins behind `said`. */
function streamOf(id: string, said: string, { lineEnd, usage }: Wishes): Buffer {
  let left = said.length;
  const rest = pieces.map((piece) => {
    const cut = Math.min(left, piece.length);
    left -= cut;
    return piece.slice(cut);
  });
  const numbers = { prompt_tokens: 9, completion_tokens: 1 };
  const chunk = (delta: object, reason: string | null = null) => ({
    id,
    model: 'real',
    choices: [{ index: 0, delta, finish_reason: reason }],
    ...(usage === 'always' ? { usage: numbers } : {}),
  });
  const events = [
    chunk({ role: 'assistant', content: '' }),
    ...rest.filter((piece, at) => piece !== '' || pieces[at] === '').map((content) => chunk({ content })),
    chunk({}, 'stop'),
    ...(usage === 'none' ? [] : [{ id, model: 'real', choices: [], usage: numbers }]),
  ];
  const datas = [...events.map((event) => JSON.stringify(event)), '[DONE]'];
  return Buffer.from(datas.map((data) => `: ping${lineEnd}${lineEnd}data: ${data}${lineEnd}${lineEnd}`).join(''));
}

/** Around the end of each event, and in its midst. */
function placesIn(bytes: Buffer, lineEnd: string): readonly number[] {
  const blank = lineEnd + lineEnd;
  const places: number[] = [];
  for (let at = bytes.indexOf(blank); at !== -1; at = bytes.indexOf(blank, at + blank.length)) {
    const [start = 0] = places.slice(-1);
    places.push(Math.floor((start + at) / 2));
    for (let place = at - 1; place <= at + blank.length + 1; place++) places.push(place);
  }
  return places;
}

async function brokenAt(place: number, wishes: Wishes) {
  const clock = fakeClock();
  const counters = plainCounters();
  const roster = aRoster();
  const fleet = aFleet({
    backends: ['a', 'b'].map((name) => ({ name, engine: 'vllm', url: `http://${name}:1`, models: ['real'] })),
    models: { real: { continuation: true, aliases: ['m'] } },
  });
  for (const backend of fleet.backends) {
    const state = roster.of(backend);
    state.engine = 'vllm';
    state.health = 'up';
    state.probedOnce = true;
  }
  const asked: Buffer[] = [];
  const upstream: Upstream = {
    send(_backend, { body }, handler) {
      asked.push(body);
      const last = objectsIn(objectOf(parseJson(body.toString()))?.['messages']).at(-1);
      const said = last?.['role'] === 'assistant' ? String(last['content']) : '';
      const bytes = streamOf(`id${asked.length}`, said, wishes);
      const isFirst = asked.length === 1;
      queueMicrotask(() => {
        handler.connected();
        handler.head(200, { 'content-type': 'text/event-stream' });
        const sent = isFirst ? bytes.subarray(0, place) : bytes;
        for (let at = 0; at < sent.length; at += 7) handler.data(sent.subarray(at, at + 7));
        if (isFirst) handler.failed({ kind: 'broken', code: 'ECONNRESET' });
        else handler.ended();
      });
      return { abort: () => {}, pause: () => {}, resume: () => {} };
    },
  };
  const settled: ExchangeSettled[] = [];
  const route = createRoute({
    snapshots: createSnapshots(
      buildSnapshot(fleet, {
        roster,
        keyring: createKeyring(fleet),
        makePolicy: leastConnections,
        policyParts: { inFlight: counters, clock, random: () => 0 },
      }),
    ),
    roster,
    limiter: { take: () => Promise.resolve(ungranted) },
    slots: createSlots(counters),
    waitingRoom: new WaitingRoom(clock, { left: () => {}, refused: () => {} }),
    retryBudget: new RetryBudget(0.2),
    clock,
    observer: { attempted: () => {}, letGo: () => {}, settled: (event) => void settled.push(event) },
    upstream,
    rediscovery: { refresh: () => {} },
  });
  const body = Buffer.from(
    JSON.stringify({
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: 'x' }],
      ...(wishes.usage === 'none' ? {} : { stream_options: { include_usage: true } }),
    }),
  );
  const name = 'chat-completions';
  const caller = new FakeCaller();
  const exchange = new Exchange('id', name, aCaller(), clock.now());
  await route(exchange, { ...endpoints[name].read(body), endpoint: name, body, headers: [] }, caller).catch(() => {});
  roster.close();
  const datas = caller.text
    .split(/(?:\r\n|\r|\n){2}/)
    .flatMap((event) => (event.startsWith('data: ') ? event.slice(6) : []));
  const events = datas.map(parseJson).filter(isObject);
  const choices = events.flatMap((event) => objectsIn(event['choices']));
  return {
    outcome: settled[0]?.outcome,
    ending: caller.ending,
    content: choices.map((choice) => textOf(objectOf(choice['delta'])?.['content']) ?? '').join(''),
    ids: new Set(events.map(({ id }) => id)).size,
    models: [...new Set(events.map(({ model }) => model))],
    reasons: choices.flatMap(({ finish_reason: reason }) => reason ?? []),
    done: datas.filter((data) => data === '[DONE]').length,
    usages: events.filter(({ choices, usage }) => isObject(usage) && objectsIn(choices).length === 0).length,
    held: [clock.waiting, counters.read(0), counters.read(1)],
  };
}

describe.each(['\n', '\r\n', '\r'])('a stream with line ends %j', (lineEnd) => {
  it.each(['none', 'asked', 'always'] as const)(
    'that breaks anywhere is joined to what it would have been (usage: %s)',
    async (usage) => {
      const wishes = { lineEnd, usage };
      const bytes = streamOf('id1', '', wishes);
      // Behind its finish reason nobody is left who could tell the usage that was asked for.
      const finished = usage === 'none' ? bytes.length + 1 : bytes.lastIndexOf('"stop"');
      for (const place of placesIn(bytes, lineEnd).filter((one) => one < Math.min(bytes.length, finished)))
        expect([place, await brokenAt(place, wishes)]).toEqual([
          place,
          {
            outcome: 'ok',
            ending: 'ended',
            content: whole,
            ids: 1,
            models: ['m'],
            reasons: ['stop'],
            done: 1,
            usages: usage === 'none' ? 0 : 1,
            held: [0, 0, 0],
          },
        ]);
    },
  );
});
