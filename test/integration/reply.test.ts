import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { CallerReply } from '../../src/http/reply.ts';
import type { AnyServer } from '../../src/http/secure.ts';
import { authoritiesOfTest } from '../support/certificates.ts';

const authority = authoritiesOfTest()();
const signed = authority.sign();
const opened: (AnyServer | Socket)[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) {
    if ('closeAllConnections' in one) one.close().closeAllConnections();
    else one.destroy();
  }
});

/** A server that answers everything with the same bytes, many at once, and a caller that has not read any yet. */
async function answering(
  bytes: number,
  how: 'whole' | 'then more',
  over: 'TCP' | 'TLS',
): Promise<{ caller: Socket; gone: Promise<boolean> }> {
  const verdict = Promise.withResolvers<boolean>();
  const answer: RequestListener = (_request, response) => {
    const reply = new CallerReply(response, {
      clock: systemClock,
      describe: () => [],
      stallMs: 600,
    });
    reply.gone.addEventListener('abort', () => verdict.resolve(true));
    response.once('finish', () => verdict.resolve(false));
    const sink = reply.begin(200, [['content-type', 'text/plain']]);
    const hasRoom = sink.write(Buffer.alloc(bytes, 'x'));
    if (how === 'whole') sink.end();
    else if (!hasRoom) sink.onDrain(() => sink.end());
  };
  const server = over === 'TCP' ? createServer(answer) : createSecureServer(signed, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const to = { port: address.port, host: '127.0.0.1' };
  const caller = over === 'TCP' ? connect(to) : connectSecurely({ ...to, ca: authority.ca });
  caller.pause();
  caller.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  opened.push(server, caller);
  return { caller, gone: verdict.promise };
}

describe.each(['whole', 'then more'] as const)('an answer that waits for its caller (%s)', (how) => {
  it.each(['TCP', 'TLS'] as const)('is given up when nothing is taken (over %s)', async (over) => {
    const { gone } = await answering(20_000_000, how, over);
    expect(await gone).toBe(true);
  });

  // Over TLS a socket does not tell how much of one write was taken.
  it('is not given up while something is taken, however slowly', async () => {
    const { caller, gone } = await answering(20_000_000, how, 'TCP');
    // Far longer in all than the time without progress that is allowed.
    const reading = setInterval(() => caller.read(500_000), 40);
    expect(await gone).toBe(false);
    clearInterval(reading);
  });
});
