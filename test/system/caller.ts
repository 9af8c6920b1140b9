// What callers of these tests send and read.
import { secrets } from './of-test.ts';

export const question = { model: 'test-model', messages: [{ role: 'user', content: secrets.prompt }] } as const;

interface Where {
  readonly url: string;
}

export function chat({ url }: Where, more: object = {}, headers: Readonly<Record<string, string>> = {}) {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ...question, ...more }),
  });
}

export interface Read {
  readonly bytes: Buffer;
  readonly text: string;
  /** The data of each event. */
  readonly events: readonly string[];
  /** Whether the transport ended before the body did. */
  readonly broken: boolean;
}

/** The body as far as it came. */
export async function readAll(response: Response): Promise<Read> {
  const pieces: Uint8Array[] = [];
  let broken = false;
  try {
    for await (const piece of response.body ?? []) pieces.push(piece);
  } catch {
    broken = true;
  }
  const bytes = Buffer.concat(pieces);
  const text = bytes.toString();
  const events = text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
  return { bytes, text, events, broken };
}

/** The models it lists, in its order. */
export async function modelsOf({ url }: Where): Promise<readonly unknown[]> {
  const body: unknown = await (await fetch(`${url}/v1/models`)).json();
  const data: unknown = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
  if (!Array.isArray(data)) throw new Error('not a list of models');
  return data.map((model: unknown) =>
    typeof model === 'object' && model !== null && 'id' in model ? model.id : model,
  );
}

/** A streamed chat as bytes, for a socket. */
export function streamOver(): string {
  const body = JSON.stringify({ ...question, stream: true });
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: x', 'content-type: application/json'];
  return [...head, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}
