// What a fleet of real llama-servers shows over its life: shared load, slots that come free, a server that dies.
import { afterEach, expect, test, vi } from 'vitest';
import { busySlots } from './llama-server.ts';
import { names, type RealFleet, type RealFleetOptions, startRealFleet } from './real-fleet.ts';
import { readSse } from './sse-reading.ts';

const fleets: RealFleet[] = [];
afterEach(async () => {
  for (const fleet of fleets.splice(0)) await fleet.stop();
});

async function aFleet(options?: RealFleetOptions): Promise<RealFleet> {
  const fleet = await startRealFleet(options);
  fleets.push(fleet);
  return fleet;
}

const chatPath = '/v1/chat/completions';
const short = { model: names.chat, messages: [{ role: 'user', content: 'Count.' }], max_tokens: 16 };
/** Many seconds of tokens, unless something ends it. `ignore_eos` is llama.cpp's. */
const long = { ...short, max_tokens: 1_500, ignore_eos: true };

const backendOf = (response: Response): string => response.headers.get('x-switchyard-backend') ?? '';
const attemptsOf = (response: Response): number => Number(response.headers.get('x-switchyard-attempts'));

test('concurrent requests are shared out evenly over both chat servers', async () => {
  const fleet = await aFleet();
  const answers = await Promise.all(Array.from({ length: 12 }, () => fleet.post(chatPath, short)));
  await Promise.all(answers.map((answer) => answer.text()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const served = Map.groupBy(answers, backendOf);
  expect([...served.keys()].toSorted()).toEqual([fleet.chatA.name, fleet.chatB.name].toSorted());
  for (const share of served.values()) expect(share.length).toBeGreaterThanOrEqual(4);
});

test.for([
  { kind: 'streamed', stream: true },
  { kind: 'plain', stream: false },
])('a caller that hangs up frees the slot of the llama-server: $kind', async ({ stream }) => {
  const fleet = await aFleet();
  const busy = async () => (await busySlots(fleet.chatA)) + (await busySlots(fleet.chatB));
  const caller = new AbortController();
  const answer = fleet.post(chatPath, { ...long, stream }, caller.signal);
  if (stream) await readSse(await answer).next();
  await vi.waitFor(async () => expect(await busy()).toBe(1), { timeout: 5_000 });

  caller.abort();
  await Promise.allSettled([answer]);

  // Before its first byte, llama-server looks for callers that have left only when it produced nothing for anybody
  // for a second, not even for /slots (`recv_with_timeout`): asking more often would keep the slot busy.
  await vi.waitFor(async () => expect(await busy()).toBe(0), { timeout: 10_000, interval: 1_500 });
});

test('when a chat server is killed its stream ends with an error, and everything else is served', async () => {
  const fleet = await aFleet();
  const streams = await Promise.all([1, 2].map(() => fleet.post(chatPath, { ...long, max_tokens: 400, stream: true })));
  const doomed = streams.find((one) => backendOf(one) === fleet.chatA.name);
  const spared = streams.find((one) => backendOf(one) === fleet.chatB.name);
  if (doomed === undefined || spared === undefined) throw new Error('both streams went to one server');
  const cut = readSse(doomed);
  await cut.next();

  await fleet.chatA.kill();

  const last = (await cut.rest()).at(-1) ?? '';
  expect(JSON.parse(last)).toEqual({ error: { type: 'backend_broken', message: expect.any(String) } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => fleet.post(chatPath, short)));
  await Promise.all(answers.map((answer) => answer.text()));
  expect(answers.map((answer) => [answer.status, backendOf(answer)])).toEqual(
    answers.map(() => [200, fleet.chatB.name]),
  );
  expect((await readSse(spared).rest()).at(-1)).toBe('[DONE]');
  const upOf = async (name: string) =>
    (await fleet.metric('switchyard_backend_up')).find(([labels]) => labels.includes(`"${name}"`))?.[1];
  await vi.waitFor(async () => expect(await upOf(fleet.chatA.name)).toBe(0), { timeout: 60_000, interval: 250 });
  expect(await upOf(fleet.chatB.name)).toBe(1);
});

interface Chunk {
  readonly id: string;
  readonly choices: readonly {
    readonly delta?: { readonly role?: string; readonly content?: string };
    readonly text?: string;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly completion_tokens: number };
}

test.for([
  { kind: 'chat', path: chatPath, asked: { messages: [{ role: 'user', content: 'Tell me about foxes.' }] }, roles: 1 },
  { kind: 'completion', path: '/v1/completions', asked: { prompt: 'The quick brown fox' }, roles: 0 },
])('a server that is killed in mid-stream is not missed where its streams go on elsewhere: $kind', async (given) => {
  const fleet = await aFleet({ more: `models:\n  ${names.chat}: { continuation: true }\n` });
  const asked = { model: names.chat, ...given.asked, temperature: 0, max_tokens: 80, ignore_eos: true, stream: true };
  const response = await fleet.post(given.path, { ...asked, stream_options: { include_usage: true } });
  const doomed = backendOf(response) === fleet.chatA.name ? fleet.chatA : fleet.chatB;
  const reading = readSse(response);
  const values: string[] = [];
  while (values.length < 20) values.push((await reading.next()) ?? '');

  await doomed.kill();

  values.push(...(await reading.rest()));
  expect(values.at(-1)).toBe('[DONE]');
  const chunks = values.slice(0, -1).map((value): Chunk => JSON.parse(value));
  const textOf = (some: readonly Chunk[]) =>
    some.flatMap(({ choices }) => choices.map(({ delta, text }) => delta?.content ?? text ?? '')).join('');
  const [begun, rest] = [textOf(chunks.slice(0, 20)), textOf(chunks.slice(20))];
  process.stdout.write(`continued ${given.kind}: ${JSON.stringify(begun)} + ${JSON.stringify(rest)}\n`);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  expect(choices.filter(({ delta }) => delta?.role !== undefined)).toHaveLength(given.roles);
  expect(choices.flatMap(({ finish_reason: reason }) => reason ?? [])).toEqual(['length']);
  expect(chunks.flatMap(({ usage }) => usage?.completion_tokens ?? [])).toEqual([80]);
  expect(rest.length).toBeGreaterThan(50);
  const [continued] = await fleet.metric('switchyard_continuations_total');
  expect(continued).toEqual([expect.stringContaining('result="completed"'), 1]);
});

test('embeddings go to the server that was started for them, by its model’s name', async () => {
  const fleet = await aFleet();
  const answer = await fleet.post('/v1/embeddings', { model: names.embeddings, input: 'a red fox' });
  await answer.text();
  expect([answer.status, backendOf(answer), attemptsOf(answer)]).toEqual([200, fleet.embeddings.name, 1]);
});

test('where all servers announce one name, the router learns who can embed, and asks the others no more', async () => {
  const fleet = await aFleet({ embeddingsAlias: names.chat });
  const answers: Response[] = [];
  for (let n = 0; n < 12; n++) {
    const answer = await fleet.post('/v1/embeddings', { model: names.chat, input: 'a red fox' });
    await answer.text();
    answers.push(answer);
  }
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(new Set(answers.map(backendOf))).toEqual(new Set([fleet.embeddings.name]));
  // Each chat server says 501 once, and is asked no more.
  const wasted = answers.reduce((sum, answer) => sum + attemptsOf(answer), 0) - answers.length;
  expect(wasted).toBeLessThanOrEqual(2);
  expect(answers.slice(-6).map(attemptsOf)).toEqual([1, 1, 1, 1, 1, 1]);
});
