import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { GatewayError } from '../../src/errors.ts';
import { CallerReply } from '../../src/http/reply.ts';
import { eventStreamHeaders, type Sink } from '../../src/routing/ports.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close().closeAllConnections();
});

/** Answers each request with a stream of its own, in pieces that are written apart from each other. */
async function streaming(
  pieces: (path: string) => readonly string[],
  end = (sink: Sink, _reply: CallerReply) => sink.end(),
) {
  server = createServer((request, response) => {
    const reply = new CallerReply(response, { clock: systemClock, describe: () => [['x-path', request.url ?? '']] });
    void (async () => {
      const sink = reply.begin(200, eventStreamHeaders);
      for (const piece of pieces(request.url ?? '')) {
        await setImmediate();
        sink.write(Buffer.from(piece));
      }
      end(sink, reply);
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return address.port;
}

/** Everything that comes until the connection ends. */
function said(port: number, requests: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(requests);
  return text(socket);
}

function chunked(pieces: readonly string[]): string {
  return pieces.map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`).join('');
}

const get = (path: string, version = '1.1', more = '') => `GET ${path} HTTP/${version}\r\nHost: x\r\n${more}\r\n`;
const piecesOf = (path: string) =>
  ['one', 'zwei – zwo', 'x'.repeat(70_000), 'end'].map((piece) => `data: ${path} ${piece}\n\n`);

describe('the pieces of a stream', () => {
  it('leave as one chunk each, in order, behind the head and before the last chunk', async () => {
    const port = await streaming(piecesOf);
    const answer = await said(port, get('/a', '1.1', 'Connection: close\r\n'));
    const [head = '', ...body] = answer.split('\r\n\r\n');
    expect(head.toLowerCase()).toContain('transfer-encoding: chunked');
    expect(body.join('\r\n\r\n')).toBe(`${chunked(piecesOf('/a'))}0\r\n\r\n`);
  });

  it('wait for the answers ahead of them on the same connection', async () => {
    const port = await streaming((path) =>
      path === '/a' ? piecesOf(path).flatMap((piece) => [piece, piece]) : piecesOf(path),
    );
    const answer = await said(port, get('/a') + get('/b') + get('/c', '1.1', 'Connection: close\r\n'));
    const bodies = answer.split(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s).slice(1);
    expect(bodies).toHaveLength(3);
    const joined = bodies.map((body) => unchunked(body));
    expect(joined).toEqual([
      piecesOf('/a')
        .flatMap((piece) => [piece, piece])
        .join(''),
      piecesOf('/b').join(''),
      piecesOf('/c').join(''),
    ]);
  });

  it('come without chunks to a caller that knows none', async () => {
    const port = await streaming(piecesOf);
    const answer = await said(port, get('/a', '1.0'));
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(piecesOf('/a').join(''));
  });

  it('are followed by the error that ended it, and by no last chunk', async () => {
    const port = await streaming(piecesOf, (_sink, reply) => reply.fail(new GatewayError('draining', 'stopped')));
    const answer = await said(port, get('/a'));
    const error = 'data: {"error":{"type":"draining","message":"stopped"}}\n\n';
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe(chunked([...piecesOf('/a'), error]));
  });

  it('are none where there is nothing in them', async () => {
    const port = await streaming(() => ['first', '', 'last']);
    const answer = await said(port, get('/a', '1.1', 'Connection: close\r\n'));
    expect(answer.endsWith(`${chunked(['first', 'last'])}0\r\n\r\n`)).toBe(true);
  });
});

function unchunked(body: string): string {
  const bytes = Buffer.from(body);
  let joined = '';
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (size === 0) return joined;
    joined += bytes.toString('utf8', end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}
