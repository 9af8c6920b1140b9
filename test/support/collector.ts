// A collector of traces on loopback: takes OTLP over HTTP as JSON, and tells what spans it was sent.
import { once } from 'node:events';
import { createServer } from 'node:http';

export interface TakenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly events: readonly { readonly name: string }[];
  readonly status: { readonly code?: number };
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: TakenSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly TakenSpan[] }[];
  }[];
}

export interface Collector {
  /** Its base address. */
  readonly url: string;
  readonly spans: readonly TakenSpan[];
  /** Everything it was sent, as text. */
  readonly text: () => string;
  close(): Promise<void>;
}

export async function startCollector(status = 200): Promise<Collector> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') bodies.push(Buffer.concat(chunks).toString());
      response.writeHead(request.url === '/v1/traces' ? status : 404, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the collector has no address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    get spans() {
      return bodies.flatMap((body) => {
        const sent: Sent = JSON.parse(body);
        return sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
      });
    },
    text: () => bodies.join('\n'),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Attributes as plain values. */
export function attributesOf({ attributes }: Pick<TakenSpan, 'attributes'>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
