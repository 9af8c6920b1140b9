// TLS in front of a scripted engine, whose certificate can be exchanged and who may ask its clients for theirs.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createServer, type SecureContextOptions } from 'node:tls';
import { afterEach } from 'vitest';

export interface SecureFront {
  readonly port: number;
  /** With this certificate from now on, for new connections; those that are open end. */
  become(context: SecureContextOptions): void;
  /** Names that clients asked for (SNI); `false` where none did. */
  readonly asked: readonly string[];
  /** Common names in the certificates of clients. */
  readonly clients: readonly string[];
  readonly open: number;
}

export interface FrontWishes extends SecureContextOptions {
  readonly enginePort: number;
  /** Whether clients are asked for a certificate of `ca`. */
  readonly requestCert?: boolean;
}

/** Call at the top of a test file; what it returns starts a front. */
export function secureFronts(): (wishes: FrontWishes) => Promise<SecureFront> {
  const closings: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closings.splice(0).map((close) => close()));
  });
  return async ({ enginePort, ...options }) => {
    const sockets = new Set<Socket>();
    const asked: string[] = [];
    const clients: string[] = [];
    const server = createServer({ ...options, rejectUnauthorized: options.requestCert === true }, (socket) => {
      asked.push(String(Reflect.get(socket, 'servername')));
      const name: unknown = socket.getPeerCertificate().subject?.CN;
      if (typeof name === 'string') clients.push(name);
      const engine = connect(enginePort, '127.0.0.1');
      sockets.add(socket);
      for (const one of [socket, engine]) one.on('error', () => {});
      socket.pipe(engine).pipe(socket);
      socket.on('close', () => {
        sockets.delete(socket);
        engine.destroy();
      });
      engine.on('close', () => socket.destroy());
    });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const drop = () => {
      for (const socket of sockets) socket.destroy();
    };
    closings.push(async () => {
      const closed = once(server, 'close');
      server.close();
      drop();
      await closed;
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return {
      port: address.port,
      asked,
      clients,
      become(context) {
        server.setSecureContext(context);
        drop();
      },
      get open() {
        return sockets.size;
      },
    };
  };
}
