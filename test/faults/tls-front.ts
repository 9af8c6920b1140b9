// TLS in front of a scripted engine, with certificates that can be exchanged while it runs.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { makeCertificates } from '../support/redis/certificates.ts';
import { run } from '../real/run.ts';

export interface TlsFront {
  readonly url: string;
  /** Trusts it, where the process is told by NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  /** From now on, for new connections; those that are open end. `stalled` never shakes hands. */
  become(what: 'good' | 'expired' | 'of another host' | 'stalled'): Promise<void>;
  close(): Promise<void>;
}

export async function startTlsFront(enginePort: number): Promise<TlsFront> {
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-tls-'));
  const good = await makeCertificates(directory);
  const key = readFileSync(good.keyFile);
  const certificates = {
    good: readFileSync(good.certFile),
    expired: await sign(directory, { name: 'DNS:localhost, IP:127.0.0.1', days: 0 }),
    'of another host': await sign(directory, { name: 'DNS:elsewhere.example', days: 2 }),
  };
  // The one that expired did so in the second in which it was made.
  await sleep(1_100);
  const sockets = new Set<Socket>();
  const tls: TlsServer = createTlsServer({ key, cert: certificates.good }, (socket) => {
    const engine = connect(enginePort, '127.0.0.1');
    for (const one of [socket, engine]) one.on('error', () => {});
    socket.pipe(engine).pipe(socket);
    socket.on('close', () => engine.destroy());
    engine.on('close', () => socket.destroy());
  });
  tls.on('tlsClientError', () => {});
  let stalled = false;
  const front: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    if (!stalled) tls.emit('connection', socket);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const address = front.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `https://localhost:${address.port}`,
    caFile: good.caFile,
    async become(what) {
      stalled = what === 'stalled';
      if (what !== 'stalled') tls.setSecureContext({ key, cert: certificates[what] });
      const open = [...sockets].map((socket) => once(socket, 'close'));
      drop();
      await Promise.all(open);
    },
    async close() {
      const closed = once(front, 'close');
      front.close();
      drop();
      await closed;
      rmSync(directory, { recursive: true });
    },
  };
}

async function sign(directory: string, { name, days }: { name: string; days: number }): Promise<Buffer> {
  const path = (file: string): string => join(directory, file);
  const file = path(`${days}-${name.length}.pem`);
  writeFileSync(path('other-names'), `subjectAltName = ${name}\n`);
  const signing = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('other-names')];
  await run('openssl', ['x509', '-req', ...signing, '-in', path('request.pem'), '-out', file, '-days', String(days)]);
  return readFileSync(file);
}
