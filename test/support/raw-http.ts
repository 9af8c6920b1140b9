// Bytes on a socket, for what no HTTP client would send.
import { connect } from 'node:net';

/** Writes `bytes` and returns everything that came back until the server closed, or until it was quiet for `quietMs`. */
export function exchangeBytes(port: number, bytes: string | Buffer, quietMs = 250): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const done = () => {
      clearTimeout(quiet);
      socket.destroy();
      resolve(received);
    };
    let quiet = setTimeout(done, quietMs * 4);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      clearTimeout(quiet);
      quiet = setTimeout(done, quietMs);
    });
    socket.on('close', done);
    socket.on('error', done);
    socket.write(bytes);
  });
}

export function statusesOf(received: string): readonly number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

export function post(path: string, body: string, headers: readonly string[] = []): string {
  const own = ['Host: localhost', 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
  return [`POST ${path} HTTP/1.1`, ...own, ...headers, '', body].join('\r\n');
}
