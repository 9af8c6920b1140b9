// Conversations over the wire: they stay where their beginning is known, and leave a backend that has too much to do.
import { describe, expect, it } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { answer, hang } from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();

interface Message {
  readonly role: string;
  readonly content: string;
}

const text = (about: string, bytes: number) => `${about} `.repeat(Math.ceil(bytes / (about.length + 1)));
const opening = (about: string): readonly Message[] => [
  { role: 'system', content: text('You are the assistant of everybody here.', 500) },
  { role: 'user', content: text(about, 3_000) },
];
const backendOf = async (response: Response) => {
  await response.text();
  return response.headers.get('x-switchyard-backend');
};
const two = [{ imitates: 'vllm' }, { imitates: 'vllm' }] as const;

/** Where each of so many turns of a conversation is answered. */
async function converse(about: string, turns: number, extra: Readonly<Record<string, unknown>> = {}) {
  const places: (string | null)[] = [];
  let messages = opening(about);
  for (let turn = 0; turn < turns; turn++) {
    places.push(await backendOf(await current().chat({ messages, stream: turn % 2 === 0, ...extra })));
    messages = [
      ...messages,
      { role: 'assistant', content: `answer ${turn}` },
      { role: 'user', content: text(`${about}, and ${turn}`, 1_200) },
    ];
  }
  return places;
}

describe('conversations under least-cost', () => {
  it('stay each where its beginning is known, while both backends are used', async () => {
    await start({ policy: 'least-cost', engines: two });
    const used = new Set<string | null>();
    for (let n = 0; n < 12; n++) {
      const places = await converse(`conversation ${n}`, 4);
      expect(new Set(places).size).toBe(1);
      used.add(places[0] ?? null);
    }
    expect([...used].toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual(['b0', 'b1']);
  });

  it('leave a holder that is busy when that costs more than reading the prompt again', async () => {
    const { engines, chat } = await start({ policy: 'least-cost', engines: two });
    const [home = null] = await converse('a long story', 1);
    const holder = engines[home === 'b0' ? 0 : 1];
    expect(new Set(await converse('a long story', 3))).toEqual(new Set([home]));
    holder?.respond(hang('nothing'));
    const gone = new AbortController();
    // The same story from many callers: it goes to who knows it until waiting behind the others is dearer.
    const others = Array.from({ length: 40 }, () =>
      chat({ messages: opening('a long story'), stream: true }, { signal: gone.signal }).catch(() => undefined),
    );
    const free = engines[home === 'b0' ? 1 : 0];
    await free?.when(({ posts }) => posts.length >= 5);
    expect(holder?.inFlight).toBeGreaterThan(0);
    gone.abort();
    await Promise.all(others);
  });

  it('are told apart by the tools that they have', async () => {
    const { service } = await start({ policy: 'least-cost', admin: {}, engines: two });
    const tools = (name: string) => [{ type: 'function', function: { name, parameters: { type: 'object' } } }];
    await converse('with tools', 1, { tools: tools('a') });
    await converse('with tools', 1, { tools: tools('b') });
    const told = await fetch(`http://127.0.0.1:${service.adminAddress?.port}/fleet`);
    const { decisions } = (await told.json()) as Told;
    const whys = decisions.map(({ explanation }) => explanation.candidates[0]?.why);
    expect(whys).toEqual([expect.not.stringContaining('holds'), expect.not.stringContaining('holds')]);
  });

  it('are explained: what each candidate would cost, and how much of the prompt it holds', async () => {
    const { service } = await start({ policy: 'least-cost', admin: {}, engines: two });
    await converse('explained', 2);
    const url = `http://127.0.0.1:${service.adminAddress?.port}`;
    const { decisions } = (await (await fetch(`${url}/fleet`)).json()) as Told;
    const [first, second] = decisions[0]?.explanation.candidates ?? [];
    expect(first?.why).toMatch(/^[\d.]+ s to the first token, [\d.]+ s to write; holds \d+ of \d+ tokens$/);
    expect(second?.why).toMatch(/^[\d.]+ s to the first token, [\d.]+ s to write$/);
    expect(first?.score).toBeLessThan(second?.score ?? 0);
    const explained = await fetch(`${url}/explain?model=test-model&prompt_bytes=400000`);
    expect(await explained.json()).toMatchObject({ policy: 'least-cost', winner: expect.stringMatching(/^b[01]$/) });
  });

  it('are counted: hits, what was predicted and what was reported, and the time to the first token', async () => {
    const { engines, metric } = await start({ policy: 'least-cost', engines: two });
    for (const engine of engines) engine.respond(() => answer({ usage: 'always' }));
    await converse('counted', 5);
    expect(await metric('switchyard_routing_decisions_total', { result: 'best' })).toBe(1);
    expect(await metric('switchyard_routing_decisions_total', { result: 'affinity_hit' })).toBe(4);
    expect(await metric('switchyard_affinity_entries')).toBeGreaterThan(4);
    expect(await metric('switchyard_ttft_observed_over_predicted_count')).toBe(3);
  });
});

describe('conversations under session', () => {
  const header = (session: string) => ({ headers: { 'x-session-id': session } });

  it('stay where their key is at home, however they are named', async () => {
    const { chat } = await start({ policy: 'session', engines: [...two, ...two] });
    const homes = new Map<string, string | null>();
    for (let n = 0; n < 20; n++) homes.set(`s${n}`, await backendOf(await chat({}, header(`s${n}`))));
    expect(new Set(homes.values()).size).toBeGreaterThan(1);
    for (const [session, home] of homes) {
      expect(await backendOf(await chat({}, header(session)))).toBe(home);
      expect(await backendOf(await chat({ prompt_cache_key: session }))).toBe(home);
      expect(await backendOf(await chat({ metadata: { session_id: session } }))).toBe(home);
    }
  });

  it('stay where their first question is at home, when nobody names them', async () => {
    await start({ policy: 'session', engines: [...two, ...two] });
    const homes = new Set<string | null>();
    for (let n = 0; n < 12; n++) {
      const places = await converse(`unnamed ${n}`, 3);
      expect(new Set(places).size).toBe(1);
      homes.add(places[0] ?? null);
    }
    expect(homes.size).toBeGreaterThan(1);
  });

  it('leave a home that has more than its share', async () => {
    const { engines, chat } = await start({ policy: 'session', engines: two });
    for (const engine of engines) engine.respond(hang('nothing'));
    const gone = new AbortController();
    const all = Array.from({ length: 16 }, () =>
      chat({ stream: true }, { signal: gone.signal, ...header('s') }).catch(() => undefined),
    );
    await Promise.all(engines.map((engine) => engine.when(({ posts }) => posts.length >= 6)));
    expect(Math.max(...engines.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(10);
    gone.abort();
    await Promise.all(all);
  });
});

interface Told {
  readonly decisions: readonly {
    readonly explanation: {
      readonly candidates: readonly { readonly why: string | null; readonly score: number | null }[];
    };
  }[];
}
