// One GET to the API server of a cluster, on a connection of its own: there are two for each time that something is listed and
// watched, and the second lasts for minutes.
import { Client } from 'undici';

export interface ApiRequest {
  readonly origin: string;
  readonly path: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
  readonly ended: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Buffer>;
  close(): Promise<void>;
}

const connectMs = 5_000;
const headMs = 10_000;
/** Above the time that the server is asked to end a watch after. */
const silenceMs = 300_000;

export async function askApiServer({ origin, path, ca, token, ended }: ApiRequest): Promise<ApiAnswer> {
  ended.throwIfAborted();
  const client = new Client(origin, {
    allowH2: false,
    connect: { ca, minVersion: 'TLSv1.2', timeout: connectMs, allowH2: false },
    headersTimeout: headMs,
    bodyTimeout: silenceMs,
  });
  // Also while it is connecting, which the signal of a request does not end.
  const end = () => void client.destroy();
  ended.addEventListener('abort', end);
  const close = async () => {
    ended.removeEventListener('abort', end);
    await client.destroy();
  };
  const headers = { accept: 'application/json', authorization: `Bearer ${token}`, 'user-agent': 'switchyard' };
  try {
    const { statusCode, body } = await client.request({ path, method: 'GET', headers });
    // What is not read any more is ended by `close`.
    body.on('error', () => {});
    return { status: statusCode, body, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}
