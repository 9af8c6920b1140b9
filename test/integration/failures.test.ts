import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/fleet/fleet.ts';
import { timeouts } from '../support/a-fleet.ts';
import { routerPerTest } from '../support/running-router.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';
import type { Behaviour } from '../support/scripted/behaviours.ts';
import {
  aborted,
  answer,
  cutAfterBytes,
  diesAfter,
  emptyReply,
  endless,
  errorEvent,
  fault,
  garbageStatusLine,
  hang,
  hangUp,
  html,
  hugeHeader,
  lengthAndChunked,
  oneHugeEvent,
  redirect,
  reply,
  stallsAfter,
  wrongLength,
} from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();

const impatient: Partial<Backend> = {
  timeouts: { ...timeouts, connectMs: 300, firstByteMs: 150, firstBytePlainMs: 150, gapMs: 150 },
};

function alone(imitates: 'vllm' | 'sglang' | 'tgi' | 'ollama' | 'llamacpp' | 'localai' = 'vllm') {
  return start({ engines: [{ imitates, backend: impatient }] });
}

/** Each was asked once; one that closed a kept connection perhaps a second time, silently, on a new one. */
function expectOneEach(engines: readonly ScriptedEngine[]): void {
  const counts = engines.map(({ posts }) => posts.length).toSorted((a, b) => a - b);
  expect(counts[0]).toBe(1);
  expect([1, 2]).toContain(counts[1]);
}

/** Two boxes; the first one that is asked misbehaves. */
async function pair(behaviour: Behaviour, imitates: 'vllm' | 'sglang' | 'tgi' | 'llamacpp' | 'localai' = 'vllm') {
  const running = await start({
    engines: [
      { imitates, backend: impatient },
      { imitates, backend: impatient },
    ],
  });
  let failing: ScriptedEngine | undefined;
  for (const engine of running.engines) {
    engine.respond(() => {
      failing ??= engine;
      return failing === engine ? behaviour : undefined;
    });
  }
  return running;
}

const beforeCommit: readonly (readonly [string, Behaviour])[] = [
  ['closes the connection before any byte', hangUp('fin')],
  ['resets the connection before any byte', hangUp('reset')],
  ['closes the connection behind the head', hangUp('fin', 'head')],
  ['hangs before the head', hang()],
  ['answers 500', fault('internal', { as: 'status' })],
  ['answers 502 with HTML', html(502)],
  ['is full', fault('busy', { as: 'status' })],
  ['is loading', reply(503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } })],
  ['answers 200 with HTML', html()],
  ['answers 200 with nothing', emptyReply()],
  ['redirects', redirect('http://127.0.0.1:9/')],
  ['sends garbage for a status line', garbageStatusLine()],
  ['sends a header of 20 KiB', hugeHeader()],
  ['sends both lengths at once', lengthAndChunked()],
  ['sends less than it declares', wrongLength(5)],
  ['sends 100 Continue', answer({ interim: [100] })],
  ['refuses the credential of the fleet', fault('unauthorized', { as: 'status' })],
];

const beforeCommitOfStreams: readonly (readonly [string, Behaviour])[] = [
  ['sends an error event first', errorEvent('internal', { shape: 'stream' })],
  ['is full and says so in a 200', errorEvent('busy')],
  ['sends the head and then hangs', answer({ headAt: 'once', firstMs: 60_000 })],
  ['dies behind the role chunk', diesAfter(1, 'reset')],
  ['ends its stream before any content', diesAfter(1, 'end')],
  ['aborts because it shuts down', aborted()],
  ['answers with an empty stream', emptyReply('text/event-stream')],
];

describe('a backend that fails before anything left', () => {
  it.each([...beforeCommit, ...beforeCommitOfStreams])(
    'and %s costs the caller of a stream nothing',
    async (_name, behaviour) => {
      const { chat, engines } = await pair(behaviour);
      const response = await chat({ stream: true });
      expect(response.status).toBe(200);
      expect(response.headers.get('x-switchyard-attempts')).toBe('2');
      const text = await response.text();
      expect(text.match(/t\d /g)).toEqual(['t1 ', 't2 ', 't3 ']);
      expect(text.match(/\[DONE\]/g)).toHaveLength(1);
      expectOneEach(engines);
    },
  );

  it.each(beforeCommit)('and %s costs the caller of a plain answer nothing', async (_name, behaviour) => {
    const { chat, engines } = await pair(behaviour);
    const response = await chat();
    expect(response.status).toBe(200);
    expect(response.headers.get('x-switchyard-attempts')).toBe('2');
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 't1 t2 t3 ' } }] });
    expectOneEach(engines);
  });

  it('is not asked twice, and two are enough', async () => {
    const { chat, engines } = await start({
      engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }, { imitates: 'vllm' }],
    });
    for (const engine of engines) engine.respond(fault('internal', { as: 'status' }));
    expect((await chat()).status).toBe(500);
    expect(engines.filter(({ posts }) => posts.length === 1)).toHaveLength(2);
  });
});

describe('with nobody left to try', () => {
  it("a backend's own error passes with its status and its body as sent", async () => {
    const { chat, engine } = await alone();
    const body = '{"error":{"message":"kaputt \\u00e9","code":12345678901234567890}}';
    engine.respond(reply(500, body, { 'content-type': 'application/json', 'retry-after': '7', 'x-secret': '1' }));
    const response = await chat();
    expect(response.status).toBe(500);
    expect(await response.text()).toBe(body);
    expect(response.headers.get('x-switchyard-error-source')).toBe('backend');
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('x-secret')).toBeNull();
  });

  it('the error event inside a 200 becomes a plain body with the status of its verdict', async () => {
    const { chat, engine } = await alone('tgi');
    engine.respond(fault('busy'));
    const response = await chat({ stream: true });
    expect(response.status).toBe(429);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toEqual({ error: { message: 'Model is overloaded', http_status_code: 422 } });
  });

  it.each([
    ['hangs before the head', hang(), 504, 'backend_timeout'],
    ['closes before any byte', hangUp('fin'), 502, 'backend_broken'],
    ['answers HTML', html(), 502, 'backend_broken'],
    ['answers nothing', emptyReply(), 502, 'backend_broken'],
    ['redirects', redirect('http://169.254.169.254/latest'), 502, 'backend_broken'],
    ['is no HTTP server', garbageStatusLine(), 502, 'backend_broken'],
    ['was shutting down', aborted(), 502, 'backend_broken'],
  ] as const)('one that %s is told in our envelope', async (_name, behaviour, status, type) => {
    const { chat, engine } = await alone();
    engine.respond(behaviour);
    const response = await chat();
    expect(response.status).toBe(status);
    expect(response.headers.get('x-switchyard-backend')).toBe('b0');
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({ error: { type, message: expect.stringContaining('"b0"') } });
    expect(text).not.toContain('169.254');
  });

  it("one that can't be reached is told as such", async () => {
    const { chat, engine } = await start({
      engines: [
        { imitates: 'vllm', backend: { ...impatient, probe: { upAfter: 1, downAfter: 50, intervalMs: 60_000 } } },
      ],
    });
    await engine.refuse();
    const response = await chat();
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({
      error: { type: 'backend_unreachable', message: 'Backend "b0" could not be reached (ECONNREFUSED).' },
    });
  });

  it('tells the SDK not to try again where that would only double the load', async () => {
    const { chat, engine } = await alone();
    engine.respond(hang());
    expect((await chat()).headers.get('x-should-retry')).toBe('false');
  });
});

describe('after the first content has left', () => {
  it.each([
    ['dies', diesAfter(3), 'backend_broken'],
    ['resets', diesAfter(3, 'reset'), 'backend_broken'],
    ['ends cleanly without [DONE]', diesAfter(3, 'end'), 'backend_broken'],
    ['falls silent', stallsAfter(3), 'backend_timeout'],
  ] as const)(
    'a backend that %s is told in a last event, without [DONE], and the transport breaks',
    async (_name, behaviour, type) => {
      const { chat, engines } = await pair(behaviour);
      const response = await chat({ stream: true });
      expect(response.status).toBe(200);
      const { text, broken } = await readAll(response);
      expect(broken).toBe(true);
      expect(text.match(/t\d /g)).toEqual(['t1 ', 't2 ']);
      const last = text.trimEnd().split('\n\n').at(-1) ?? '';
      expect(JSON.parse(last.replace('data: ', ''))).toEqual({
        error: { type, message: expect.stringContaining('Backend "b') },
      });
      expect(text).not.toContain('[DONE]');
      expect(engines.reduce((sum, { posts }) => sum + posts.length, 0)).toBe(1);
    },
  );

  it('half an event is never glued to ours', async () => {
    const { chat, engine } = await alone();
    const whole = Buffer.byteLength(await (await chat({ stream: true })).text());
    engine.respond(cutAfterBytes(whole - 20, 'reset'));
    const { text } = await readAll(await chat({ stream: true }));
    for (const event of text.trimEnd().split('\n\n'))
      expect(() => void JSON.parse(event.replace('data: ', ''))).not.toThrow();
  });

  it('a plain answer is cut so that it shows', async () => {
    const { chat, engine } = await alone();
    engine.respond(answer({ pieces: ['y'.repeat(3_000_000)], cut: { after: 2_000_000, of: 'bytes', how: 'fin' } }));
    const { broken } = await readAll(await chat());
    expect(broken).toBe(true);
  });

  it('an event without an end is cut off at 1 MiB', async () => {
    const { chat, engine } = await alone();
    engine.respond(oneHugeEvent(5_000_000));
    const response = await chat({ stream: true });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { type: 'backend_broken' } });
  });

  it("a body without an end is cut off by the caller's leaving", async () => {
    const { chat, engine } = await alone();
    engine.respond(endless('events'));
    const caller = new AbortController();
    const response = await chat({ stream: true }, { signal: caller.signal });
    const reader = response.body?.getReader();
    for (let n = 0; n < 20; n++) await reader?.read();
    caller.abort();
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
    expect(engine.abortsSeen).toBe(1);
  });
});

describe('whose fault it was', () => {
  it("the caller's own mistakes never open a circuit", async () => {
    const { chat, engine, metric } = await start({ engines: [{ imitates: 'llamacpp' }, { imitates: 'llamacpp' }] });
    engine.respond(fault('bad-json'));
    current().engines[1]?.respond(fault('bad-json'));
    for (let n = 0; n < 20; n++) expect((await chat()).status).toBeGreaterThanOrEqual(400);
    expect(await metric('switchyard_circuit_state', { backend: 'b0', state: 'open' })).toBe(0);
    expect(await metric('switchyard_circuit_state', { backend: 'b1', state: 'open' })).toBe(0);
  });

  it('a full backend is left alone for as long as it says, and never ejected for it', async () => {
    const { chat, engines, metric } = await start({ engines: [{ imitates: 'localai' }, { imitates: 'localai' }] });
    engines[0]?.respond(fault('busy', { headers: { 'retry-after': '30' } }));
    for (let n = 0; n < 20; n++) expect((await chat()).status).toBe(200);
    expect(engines[0]?.posts.length).toBeLessThanOrEqual(1);
    expect(await metric('switchyard_circuit_state', { backend: 'b0', state: 'closed' })).toBe(1);
  });

  it('when everybody asked to be left alone, the caller is told when to come back', async () => {
    const { chat, engine } = await alone('localai');
    engine.respond(fault('busy', { headers: { 'retry-after': '30' } }));
    expect((await chat()).status).toBe(503);
    const response = await chat();
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { type: 'overloaded' } });
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(25);
    expect(engine.posts).toHaveLength(1);
  });

  it('five failures in a row eject a backend while another one is left, and a probe brings it back', async () => {
    const { chat, engines, metric } = await start({
      // Least connections would hardly ask a backend again that has just failed.
      policy: 'round-robin',
      // Nor would one that is coming back get every second request.
      slowStartMs: 0,
      engines: [0, 1].map(() => ({
        imitates: 'vllm' as const,
        backend: {
          circuit: {
            consecutive: 5,
            windowMs: 30_000,
            minRequests: 20,
            failureRatio: 0.5,
            openForMs: 100,
            growth: 2,
            openMaxMs: 1_000,
          },
        },
      })),
    });
    engines[0]?.respond(fault('internal', { as: 'status' }));
    for (let n = 0; n < 40; n++) expect((await chat()).status).toBe(200);
    expect(await metric('switchyard_circuit_transitions_total', { backend: 'b0', to: 'open' })).toBeGreaterThanOrEqual(
      1,
    );
    engines[0]?.respond([]);
    const before = engines[0]?.posts.length ?? 0;
    await expect
      .poll(async () => {
        await chat();
        return engines[0]?.posts.length ?? 0;
      })
      .toBeGreaterThan(before + 2);
    expect(await metric('switchyard_circuit_state', { backend: 'b0', state: 'closed' })).toBe(1);
  });

  it('the last one is never ejected', async () => {
    const { chat, engine } = await alone();
    engine.respond(fault('internal', { as: 'status' }));
    for (let n = 0; n < 12; n++) expect((await chat()).status).toBe(500);
    expect(engine.posts).toHaveLength(12);
    engine.respond([]);
    expect((await chat()).status).toBe(200);
  });
});

async function readAll(response: Response): Promise<{ text: string; broken: boolean }> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of response.body ?? []) pieces.push(piece);
    return { text: Buffer.concat(pieces).toString(), broken: false };
  } catch {
    return { text: Buffer.concat(pieces).toString(), broken: true };
  }
}

describe('backends that nobody can reach', () => {
  const dead = {
    engine: 'vllm',
    models: ['test-model'],
    probe: { intervalMs: 3_600_000, upAfter: 1, downAfter: 1 },
  } as const;

  it('cost two tries, and a third one is made', async () => {
    // Nobody has been probed as down yet, and the living one is the least wanted.
    const router = await start({
      engines: [{ imitates: 'vllm', backend: { weight: 0.000_1 } }],
      others: [1, 2].map((n) => ({ ...dead, name: `dead${n}`, url: `http://127.0.0.1:${n}` })),
      waitUntilDiscovered: true,
    });
    for (const state of router.service.states) state.health = 'up';
    const answered = await router.chat();
    expect([answered.status, answered.headers.get('x-switchyard-attempts')]).toEqual([200, '3']);
  });

  it('are not asked a fourth time', async () => {
    const router = await start({
      engines: [{ imitates: 'vllm', backend: { weight: 0.000_1 } }],
      others: [1, 2, 3].map((n) => ({ ...dead, name: `dead${n}`, url: `http://127.0.0.1:${n}` })),
    });
    for (const state of router.service.states) state.health = 'up';
    const answered = await router.chat();
    expect([answered.status, answered.headers.get('x-switchyard-attempts')]).toEqual([502, '3']);
    expect(router.engine.posts).toHaveLength(0);
  });
});
