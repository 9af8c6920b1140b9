// What must hold after every fault, whatever it was: from the journals of the engines, the router's metrics and its log.
// The numbers are those of the seven invariants that a chaos run has to keep.
import { expect } from 'vitest';
import { isJson } from '../support/scripted/dialect.ts';
import { type JournalEntry, parsed } from '../support/scripted/journal.ts';
import { circuitLines, linesOf, type Metrics, numberIn, requestLines } from './readings.ts';
import type { Stand } from './stand.ts';

const soon = { timeout: 5_000, interval: 20 };

export async function expectInvariants(stand: Stand): Promise<void> {
  expectHealthy(stand);
  await expectNothingHeld(stand);
  await expectEachAnsweredOnce(stand);
  if (stand.journals) {
    expectAttemptsSeen(stand);
    expectBytesAsSent(stand);
  }
  await expectCircuitsLogged(stand);
  await expectTokensAsReported(stand);
}

/** 1: each request that was accepted has exactly one outcome. */
async function expectEachAnsweredOnce(stand: Stand): Promise<void> {
  const { router } = stand;
  const counted = async () =>
    router.running ? (await stand.metrics()).total('switchyard_requests_total') : stand.sent;
  const seen = async () => ({ outcomes: await counted(), lines: requestLines(router).length });
  await expect.poll(seen, { ...soon, message: '1: one outcome each' }).toEqual({
    outcomes: stand.sent,
    lines: stand.sent,
  });
  const ids = requestLines(router).map((line) => line['request_id']);
  expect(new Set(ids).size, '1: no request has two outcomes').toBe(ids.length);
}

const gauges = ['switchyard_requests_inflight', 'switchyard_backend_inflight_requests', 'switchyard_queue_length'];

/** 2: nothing is held any more, neither here nor there. */
async function expectNothingHeld(stand: Stand): Promise<void> {
  const held = async () => {
    const metrics: Metrics | undefined = stand.router.running ? await stand.metrics() : undefined;
    return {
      router: gauges.map((name) => metrics?.total(name) ?? 0),
      engines: stand.engines.map(({ inFlight, running, waiting }) => inFlight + running + waiting),
    };
  };
  await expect
    .poll(held, { ...soon, message: '2: nothing is held' })
    .toEqual({ router: gauges.map(() => 0), engines: stand.engines.map(() => 0) });
}

/** 3: what engines saw is what was counted; nobody saw a request more often than it was tried. */
function expectAttemptsSeen(stand: Stand): void {
  const lines = requestLines(stand.router);
  const attempts = lines.reduce((sum, line) => sum + numberIn(line, 'attempts'), 0);
  const { silentTries, unseenAttempts } = stand;
  const posts = stand.posts.length;
  expect(posts, '3: no attempt that is not counted').toBeLessThanOrEqual(attempts + silentTries);
  expect(posts, '3: no attempt is only counted').toBeGreaterThanOrEqual(attempts - unseenAttempts);
  const tried = new Map(lines.map((line) => [String(line['request_id']), numberIn(line, 'attempts')]));
  const again = [...postsById(stand)].filter(([id, seen]) => seen.length > (tried.get(id) ?? 0));
  const beyond = again.reduce((sum, [id, seen]) => sum + seen.length - (tried.get(id) ?? 0), 0);
  expect(beyond, '3: no request came more often than it was tried').toBeLessThanOrEqual(silentTries);
}

/** 4: callers have read what an engine has sent, whole or up to the break. */
function expectBytesAsSent(stand: Stand): void {
  const byId = postsById(stand);
  for (const { id, bytes, broken } of stand.streams) {
    const sent = byId.get(id)?.map((entry) => entry.sent) ?? [];
    const read = broken ? beforeOurError(bytes) : bytes;
    const from = sent.find((all) => (broken ? all.subarray(0, read.length) : all).equals(read));
    expect(from, `4: the bytes of ${id}`).toBeDefined();
  }
}

/** Our own last word, if it is one: an error event without a `[DONE]` behind it. */
function beforeOurError(bytes: Buffer): Buffer {
  const at = bytes.lastIndexOf('data: {"error":{"type":');
  return at === -1 ? bytes : bytes.subarray(0, at);
}

/** 5: the process lives unless it was told not to, and nothing in it went wrong unforeseen. */
function expectHealthy({ router }: Stand): void {
  expect(router.stderr, '5: nothing unhandled').not.toMatch(/unhandled|uncaught|\(node:\d+\)|heap out of memory/i);
  const bugs = linesOf(router).filter((line) => line['msg'] === 'request failed inside the router');
  expect(bugs, '5: no failure of our own').toEqual([]);
}

/** 6: each change of a circuit that was counted was told, and the other way round. */
async function expectCircuitsLogged(stand: Stand): Promise<void> {
  if (!stand.router.running) return;
  const difference = async () => {
    const metrics = await stand.metrics();
    const counted = metrics
      .series('switchyard_circuit_transitions_total')
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => [`${labels['backend']}/${labels['to']}`, value] as const);
    const sorted = Object.fromEntries(counted.toSorted(([a], [b]) => a.localeCompare(b)));
    return JSON.stringify(sorted) === JSON.stringify(circuitLines(stand.router)) ? 'none' : sorted;
  };
  await expect.poll(difference, { ...soon, message: '6: circuits in metrics and log' }).toBe('none');
}

/** 7: tokens that were booked are those an engine has reported. */
async function expectTokensAsReported(stand: Stand): Promise<void> {
  const { router } = stand;
  const byId = postsById(stand);
  const booked = { input: 0, output: 0 };
  for (const line of requestLines(router)) {
    if (!('input_tokens' in line)) continue;
    booked.input += numberIn(line, 'input_tokens');
    booked.output += numberIn(line, 'output_tokens');
    if (!stand.journals) continue;
    const reported = byId.get(String(line['request_id']))?.map(usageIn) ?? [];
    const told = { input: numberIn(line, 'input_tokens'), output: numberIn(line, 'output_tokens') };
    expect(reported, `7: tokens of ${String(line['request_id'])}`).toContainEqual(told);
  }
  if (!router.running) return;
  const metrics = await stand.metrics();
  const counted = {
    input: metrics.total('switchyard_tokens_total', { type: 'input' }),
    output: metrics.total('switchyard_tokens_total', { type: 'output' }),
  };
  expect(counted, '7: tokens in metrics and log').toEqual(booked);
}

interface Usage {
  readonly input: number;
  readonly output: number;
}

/** The last it wrote, in an event or in a plain answer. */
function usageIn({ sent }: JournalEntry): Usage | undefined {
  const bodies = sent
    .toString()
    .split(/^data: /m)
    .map((piece) => parsed(Buffer.from(piece))?.['usage']);
  const last = bodies.findLast((usage) => isJson(usage));
  if (!isJson(last)) return undefined;
  return { input: numberIn(last, 'prompt_tokens'), output: numberIn(last, 'completion_tokens') };
}

function postsById({ posts }: Stand): ReadonlyMap<string, readonly JournalEntry[]> {
  const byId = new Map<string, JournalEntry[]>();
  for (const entry of posts) {
    const id = String(entry.headers['x-request-id']);
    byId.set(id, [...(byId.get(id) ?? []), entry]);
  }
  return byId;
}
