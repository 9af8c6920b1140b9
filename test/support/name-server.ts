// A name server of a test on loopback: answers what it is told to, as RFC 1035 and 2782 write it, or fails.
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { afterEach } from 'vitest';

export type Answer =
  | { readonly addresses: readonly string[] }
  | { readonly servers: readonly { name: string; port: number; priority?: number; weight?: number }[] }
  | 'empty'
  | 'no such name'
  | 'failure'
  | 'silence';

export interface NameServer {
  /** By name; names that are left out do not exist. */
  readonly names: Map<string, Answer>;
  readonly asked: number;
  readonly resolver: Resolver;
}

const codes: Readonly<Record<string, number>> = { 'no such name': 3, failure: 2 };
const types = { A: 1, SRV: 33 };

/** Call at the top of a test file; what it returns starts a name server. */
export function nameServers(): () => Promise<NameServer> {
  const closings: (() => void)[] = [];
  afterEach(() => {
    for (const close of closings.splice(0)) close();
  });
  return async () => {
    const names = new Map<string, Answer>();
    let asked = 0;
    const socket = createSocket('udp4', (query, from: RemoteInfo) => {
      asked++;
      const { name, type, end } = readQuestion(query);
      const answer = names.get(name) ?? 'no such name';
      if (answer === 'silence') return;
      const records = recordsOf(answer, type);
      const head = Buffer.alloc(12);
      query.copy(head, 0, 0, 2);
      head.writeUInt16BE(0x8180 | (typeof answer === 'string' ? (codes[answer] ?? 0) : 0), 2);
      head.writeUInt16BE(1, 4);
      head.writeUInt16BE(records.length, 6);
      socket.send(Buffer.concat([head, query.subarray(12, end), ...records]), from.port, from.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    closings.push(() => socket.close());
    const resolver = new Resolver({ timeout: 200, tries: 1 });
    resolver.setServers([`127.0.0.1:${socket.address().port}`]);
    return {
      names,
      resolver,
      get asked() {
        return asked;
      },
    };
  };
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function recordsOf(answer: Answer, type: number): Buffer[] {
  if (typeof answer === 'string') return [];
  if ('addresses' in answer)
    return type === types.A ? answer.addresses.map((one) => record(type, Buffer.from(one.split('.').map(Number)))) : [];
  if (type !== types.SRV) return [];
  return answer.servers.map(({ name, port, priority = 0, weight = 0 }) => {
    const numbers = Buffer.alloc(6);
    for (const [index, value] of [priority, weight, port].entries()) numbers.writeUInt16BE(value, index * 2);
    return record(type, Buffer.concat([numbers, encode(name)]));
  });
}

/** Its name is the one asked for, which stands behind the head. */
function record(type: number, content: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(content.length, 10);
  return Buffer.concat([head, content]);
}

function encode(name: string): Buffer {
  return Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}
