// Requests that two servers could read differently, as bytes. Each is followed on its connection by nothing: whatever it
// hides must not be answered as a request of its own.

export interface Payload {
  readonly name: string;
  readonly bytes: string | Buffer;
  /** Of the answers, in order. */
  readonly statuses: readonly number[];
  /** How many of them are requests that the router has to account for; Node's own refusals are not. */
  readonly counted: number;
  /** How many reach a backend. */
  readonly upstream?: number;
}

const chat = '{"model":"test-model","messages":[]}';
const hidden =
  'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n';
const smuggled = hidden + chat;

/** A chat with these header lines beside its content type, and this body. */
function chatWith(lines: readonly string[], body: string | Buffer = chat, version = '1.1'): Buffer {
  const head = [`POST /v1/chat/completions HTTP/${version}`, 'Content-Type: application/json', ...lines, '', ''].join(
    '\r\n',
  );
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]);
}

const length = `Content-Length: ${chat.length}`;
const host = 'Host: x';
const chunkedChat = `24\r\n${chat}\r\n0\r\n\r\n`;
const get = (target: string, ...lines: readonly string[]): string =>
  [`GET ${target} HTTP/1.1`, host, ...lines, '', ''].join('\r\n');

/** Refused by the parser: it closes, and nothing behind counts. */
function refused(name: string, bytes: string | Buffer): Payload {
  return { name, bytes, statuses: [400], counted: 0 };
}

/** Refused in the middle of a body: its request was accepted, and ended as one that never came in whole. */
function brokenBody(name: string, bytes: string | Buffer): Payload {
  return { name, bytes, statuses: [400], counted: 1 };
}

export const payloads: readonly Payload[] = [
  refused('CL.TE', chatWith([host, 'Content-Length: 6', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`)),
  refused(
    'TE.CL',
    chatWith([host, 'Transfer-Encoding: chunked', 'Content-Length: 4'], `24\r\n${chat}\r\n0\r\n\r\n${smuggled}`),
  ),
  refused('TE: xchunked', chatWith([host, 'Transfer-Encoding: xchunked'], chunkedChat)),
  refused('TE: chunked, identity', chatWith([host, 'Transfer-Encoding: chunked, identity'], chunkedChat)),
  refused('TE: identity', chatWith([host, 'Transfer-Encoding: identity', length])),
  refused('TE: x, chunked with a length', chatWith([host, 'Transfer-Encoding: x, chunked', length], chunkedChat)),
  refused('TE twice', chatWith([host, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], chunkedChat)),
  refused('TE with a blank before the colon', chatWith([host, 'Transfer-Encoding : chunked'], chunkedChat)),
  refused('TE with a vertical tab', chatWith([host, 'Transfer-Encoding:\x0bchunked'], chunkedChat)),
  refused('TE with a quote', chatWith([host, 'Transfer-Encoding: "chunked"'], chunkedChat)),
  refused('CL twice, different', chatWith([host, length, 'Content-Length: 0'])),
  refused('CL twice, the same', chatWith([host, length, length])),
  refused('CL as a list', chatWith([host, `${length}, ${chat.length}`])),
  refused('CL with a sign', chatWith([host, `Content-Length: +${chat.length}`])),
  refused('CL negative', chatWith([host, 'Content-Length: -1'])),
  refused('CL in hex', chatWith([host, 'Content-Length: 0x24'])),
  refused('CL huge', chatWith([host, `Content-Length: ${'9'.repeat(40)}`])),
  refused('CL with a blank inside', chatWith([host, 'Content-Length: 3 6'])),
  refused('CL with a blank before the colon', chatWith([host, `Content-Length : ${chat.length}`])),
  refused('bare LF in the head', `GET /v1/models HTTP/1.1\nHost: x\n\n`),
  refused('bare LF between headers', chatWith([`${host}\nContent-Length: ${chat.length}`])),
  refused('bare CR between headers', chatWith([`${host}\rX: y`, length])),
  refused('folded header', chatWith([host, 'X: a\r\n b', length])),
  refused('NUL in a header', chatWith([host, 'X: a\0b', length])),
  refused('NUL in a name', chatWith([host, 'X\0Y: a', length])),
  refused('blank in a name', chatWith([host, 'X Y: a', length])),
  refused('header without a colon', chatWith([host, 'nonsense', length])),
  refused('no Host', chatWith([length])),
  refused('raw UTF-8 in the target', Buffer.from(get('/v1/modèls'))),
  refused('control character in the target', get('/v1/\x01models')),
  refused('HTTP/1.2', chatWith([host, length], chat, '1.2')),
  refused('lower-case method', `get /v1/models HTTP/1.1\r\n${host}\r\n\r\n`),
  refused('HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  { name: 'head of 17 KiB', bytes: chatWith([host, `X: ${'x'.repeat(17_000)}`, length]), statuses: [431], counted: 0 },
  brokenBody('chunk size with a sign', chatWith([host, 'Transfer-Encoding: chunked'], `+24\r\n${chat}\r\n0\r\n\r\n`)),
  brokenBody('chunk size 0x', chatWith([host, 'Transfer-Encoding: chunked'], `0x24\r\n${chat}\r\n0\r\n\r\n`)),
  brokenBody(
    'chunk size that overflows',
    chatWith([host, 'Transfer-Encoding: chunked'], `10000000000000024\r\n${chat}\r\n0\r\n\r\n`),
  ),
  brokenBody(
    'chunk longer than its size',
    chatWith([host, 'Transfer-Encoding: chunked'], `10\r\n${chat}\r\n0\r\n\r\n`),
  ),
  brokenBody('chunk with bare LF', chatWith([host, 'Transfer-Encoding: chunked'], `24\n${chat}\n0\n\n`)),
  brokenBody(
    'a length among the trailers',
    chatWith([host, 'Transfer-Encoding: chunked'], `24\r\n${chat}\r\n0\r\nContent-Length: 5\r\n\r\n`),
  ),
  // What the parser lets through, decided by the router.
  { name: 'two Hosts', bytes: chatWith([host, 'Host: y', length]), statuses: [400], counted: 1 },
  { name: 'empty Host', bytes: chatWith(['Host: ', length]), statuses: [400], counted: 1 },
  {
    name: 'TE on HTTP/1.0',
    bytes: chatWith([host, 'Transfer-Encoding: chunked'], chunkedChat, '1.0'),
    statuses: [400],
    counted: 1,
  },
  { name: 'absolute target', bytes: get('http://169.254.169.254/v1/models'), statuses: [400], counted: 1 },
  { name: 'authority target', bytes: get('example.org:80'), statuses: [400], counted: 0 },
  { name: 'GET with a body', bytes: get('/v1/models', 'Content-Length: 5') + 'hello', statuses: [200], counted: 1 },
  {
    name: 'GET whose body is a request',
    bytes: get('/v1/models', `Content-Length: ${smuggled.length}`) + smuggled,
    statuses: [200],
    counted: 1,
  },
  {
    name: 'chunk extensions',
    bytes: chatWith([host, 'Transfer-Encoding: chunked'], `24;a=b;c="d"\r\n${chat}\r\n0\r\n\r\n`),
    statuses: [200],
    counted: 1,
    upstream: 1,
  },
  {
    name: 'chunked with trailers',
    bytes: chatWith([host, 'Transfer-Encoding: chunked', 'Trailer: X'], `24\r\n${chat}\r\n0\r\nX: y\r\n\r\n`),
    statuses: [200],
    counted: 1,
    upstream: 1,
  },
  {
    name: 'Upgrade: h2c',
    bytes: chatWith([
      host,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAARAAAAA',
      length,
    ]),
    statuses: [200],
    counted: 1,
    upstream: 1,
  },
  {
    name: 'Connection names Content-Length',
    bytes: chatWith([host, 'Connection: Content-Length, X-Request-Id', length]),
    statuses: [200],
    counted: 1,
    upstream: 1,
  },
  {
    name: 'two in a row, pipelined',
    bytes: Buffer.concat([chatWith([host, length]), chatWith([host, length])]),
    statuses: [200, 200],
    counted: 2,
    upstream: 2,
  },
  {
    name: 'a request and half of another',
    bytes: Buffer.concat([chatWith([host, length]), Buffer.from('POST /v1/ch')]),
    statuses: [200],
    counted: 1,
    upstream: 1,
  },
  {
    name: '150 headers',
    bytes: chatWith([host, ...Array.from({ length: 150 }, (_, n) => `X-${n}: y`), length]),
    statuses: [431],
    counted: 1,
  },
  {
    name: 'a length hidden behind 2,000 headers',
    bytes: chatWith([host, ...Array.from({ length: 2_000 }, () => 'a: b'), length]),
    statuses: [431],
    counted: 1,
  },
];
