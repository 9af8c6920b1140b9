import { describe, expect, it } from 'vitest';
import { timeouts } from '../../support/a-fleet.ts';
import { startAttempt } from '../../support/fake-delivery.ts';

const sse = { 'content-type': 'text/event-stream' };
const json = { 'content-type': 'application/json' };
const content = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n');
const role = Buffer.from('data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n');
const done = Buffer.from('data: [DONE]\n\n');
const answer = Buffer.from('{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}');

type Running = ReturnType<typeof startAttempt>;

/** Whatever happened: one end, no timer left, and the socket let go. */
async function expectEnd({ outcome, clock, ended, upstream }: Running, code: string): Promise<void> {
  expect(await outcome).toBe(code);
  expect(clock.waiting).toBe(0);
  expect(ended).toHaveLength(1);
  expect(upstream.aborted).toBe(1);
}

function streaming(): Running {
  const running = startAttempt();
  running.handler.connected();
  running.handler.head(200, sse);
  running.handler.data(content);
  return running;
}

describe('the timers of an attempt', () => {
  it('end one that finds no connection', async () => {
    const running = startAttempt();
    running.clock.advance(timeouts.connectMs - 1);
    expect(running.ended).toHaveLength(0);
    running.clock.advance(1);
    await expectEnd(running, 'connect_timeout');
  });

  it('give a stream until its first content, whatever came before it', async () => {
    const running = startAttempt();
    running.handler.connected();
    running.handler.head(200, sse);
    running.clock.advance(timeouts.firstByteMs - 1);
    running.handler.data(role);
    running.handler.data(Buffer.from(': comment\n\n'));
    running.clock.advance(1);
    await expectEnd(running, 'first_byte_timeout');
    expect(running.caller.committed).toBe(false);
  });

  it('give a plain answer longer until its head', async () => {
    const running = startAttempt({ stream: false });
    running.handler.connected();
    running.clock.advance(timeouts.firstBytePlainMs - 1);
    expect(running.ended).toHaveLength(0);
    running.clock.advance(1);
    await expectEnd(running, 'first_byte_timeout');
  });

  it('end a stream that falls silent, and comments are silence', async () => {
    const running = streaming();
    running.clock.advance(timeouts.gapMs - 1);
    running.handler.data(Buffer.from(': ping, no data: yet\n\n'));
    running.clock.advance(1);
    await expectEnd(running, 'gap_timeout');
    expect(running.caller.ending).toBe('broken');
  });

  it('start again with every data event', async () => {
    const running = streaming();
    for (let n = 0; n < 10; n++) {
      running.clock.advance(timeouts.gapMs - 1);
      running.handler.data(content);
    }
    running.handler.data(done);
    running.handler.ended();
    await expectEnd(running, 'ok');
  });

  it('do not blame the backend for a caller that is slow', async () => {
    const running = streaming();
    running.caller.isSlow = true;
    running.handler.data(content);
    expect(running.upstream.paused).toBe(true);
    running.clock.advance(timeouts.gapMs * 3);
    expect(running.ended).toHaveLength(0);
    running.caller.isSlow = false;
    running.caller.drain();
    expect(running.upstream.paused).toBe(false);
    running.handler.data(done);
    running.handler.ended();
    await expectEnd(running, 'ok');
  });

  it('end everything at the deadline of the exchange', async () => {
    const running = startAttempt({ totalMs: 1_000 });
    running.handler.connected();
    running.handler.head(200, sse);
    running.handler.data(content);
    running.clock.advance(1_000);
    await expectEnd(running, 'total_timeout');
    expect(running.caller.brokenBy?.message).toContain('1 s');
  });
});

describe('the end of an attempt', () => {
  it('comes once the stream has ended behind [DONE]', async () => {
    const running = streaming();
    running.handler.data(done);
    expect(running.ended).toHaveLength(0);
    running.handler.ended();
    await expectEnd(running, 'ok');
    expect(running.caller).toMatchObject({ ending: 'ended', text: content.toString() + done.toString() });
  });

  it('is good when the connection breaks behind [DONE], or the caller leaves there', async () => {
    const broken = streaming();
    broken.handler.data(done);
    broken.handler.failed({ kind: 'broken', code: 'ECONNRESET' });
    await expectEnd(broken, 'ok');
    const left = streaming();
    left.handler.data(done);
    left.caller.hangUp();
    await expectEnd(left, 'ok');
  });

  it('comes with the last byte, also when that is the second half of a line end', async () => {
    const running = streaming();
    running.handler.data(Buffer.from('data: [DONE]\r\n\r'));
    running.handler.data(Buffer.from('\n'));
    running.handler.ended();
    await expectEnd(running, 'ok');
    expect(running.caller.text).toBe(`${content.toString()}data: [DONE]\r\n\r\n`);
  });

  it.each([
    ['while connecting', () => {}],
    ['before the head', ({ handler }: Running) => handler.connected()],
    [
      'behind the head',
      ({ handler }: Running) => {
        handler.connected();
        handler.head(200, sse);
        handler.data(role);
      },
    ],
    [
      'in the middle',
      ({ handler }: Running) => {
        handler.connected();
        handler.head(200, sse);
        handler.data(content);
      },
    ],
  ])('when the caller hangs up %s lets go of everything', async (_when, until) => {
    const running = startAttempt();
    until(running);
    running.caller.hangUp();
    await expectEnd(running, 'client_closed');
  });

  it('is heard once, whatever else still arrives', async () => {
    const running = streaming();
    running.handler.failed({ kind: 'broken', code: 'ECONNRESET' });
    running.handler.data(content);
    running.handler.ended();
    running.handler.failed({ kind: 'broken', code: 'EPIPE' });
    running.caller.hangUp();
    await expectEnd(running, 'backend_broken');
    expect(running.caller.text).toBe(content.toString());
  });

  it('of a plain answer comes with its last byte, held until then', async () => {
    const running = startAttempt({ stream: false });
    running.handler.connected();
    running.handler.head(200, json);
    running.handler.data(answer.subarray(0, 10));
    running.handler.data(answer.subarray(10));
    expect(running.caller.committed).toBe(false);
    running.handler.ended();
    await expectEnd(running, 'ok');
    expect(running.caller).toMatchObject({ status: 200, text: answer.toString(), ending: 'ended' });
  });

  it('is ours when reading a reply fails inside the router', async () => {
    const running = startAttempt({ stream: false });
    running.handler.connected();
    running.handler.head(200, json);
    // Not a Buffer: what a bug in an edge could hand in.
    running.handler.data(Object.create(null));
    running.handler.ended();
    await expectEnd(running, 'internal');
  });
});

describe('the socket of an attempt whose caller hung up', () => {
  it('is timed from the hang-up until it has closed', async () => {
    const running = streaming();
    running.caller.hangUp();
    await expectEnd(running, 'client_closed');
    running.clock.advance(30);
    expect(running.letGo).toEqual([]);
    running.upstream.closed();
    expect(running.letGo).toEqual([30]);
  });

  it('is not timed when something else ended it', async () => {
    const running = streaming();
    running.handler.failed({ kind: 'broken', code: 'ECONNRESET' });
    await expectEnd(running, 'backend_broken');
    running.upstream.closed();
    expect(running.letGo).toEqual([]);
  });
});
