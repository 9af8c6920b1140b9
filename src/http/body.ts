// Reads a request body once, whole, within a size and a time.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import { GatewayError, toGatewayError } from '../errors.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/**
 * What the head says of the body: how many bytes it has, 0 where it does not say.
 * @throws GatewayError `unsupported_media_type`, `request_too_large`
 */
export function announcedBytes(request: IncomingMessage, limits: BodyLimits): number {
  requireJson(request);
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limits.maxBytes) throw tooLarge(limits);
  return declared;
}

export interface BodyParts {
  readonly limits: BodyLimits;
  readonly clock: Clock;
  /** See `announcedBytes`. */
  readonly announced: number;
  /** Told how many bytes are there; may throw where they are too many. */
  readonly received: (bytes: number) => void;
}

/**
 * @throws GatewayError `request_too_large`, `request_timeout`, what `received` throws, or `client_closed` when the caller
 * leaves before it has sent everything.
 */
export async function readRequestBody(
  request: IncomingMessage,
  response: ServerResponse,
  { limits, clock, announced, received }: BodyParts,
): Promise<Buffer> {
  // Only now: a caller that asked first has not sent what would be refused.
  if (request.headers.expect !== undefined) response.writeContinue();
  const collected = collect(announced);
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const done = (error?: GatewayError) => {
      cancel();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.maxBytes) return done(tooLarge(limits));
      try {
        received(bytes);
      } catch (thrown) {
        return done(toGatewayError(thrown));
      }
      collected.add(chunk);
    };
    const onEnd = () => done();
    const onClose = () => done(new GatewayError('client_closed', 'The caller hung up while sending its request.'));
    const cancel = clock.after(limits.timeoutMs, () => {
      const message = `The request body did not arrive within ${limits.timeoutMs / 1000} s.`;
      done(new GatewayError('request_timeout', message, { headers: { connection: 'close' } }));
    });
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
  return collected.whole();
}

/** Chunks come in sizes up to this one. */
const chunkBytes = 65_536;

/** Chunks of a body: where it is known to be long, each is copied to its place as it comes, and not all of them once more at the end. */
function collect(announced: number): { add(chunk: Buffer): void; whole(): Buffer } {
  const chunks: Buffer[] = [];
  let place: Buffer | undefined;
  let filled = 0;
  return {
    add(chunk) {
      if (filled === 0 && announced > chunkBytes) place = Buffer.allocUnsafeSlow(announced);
      if (place === undefined) chunks.push(chunk);
      else filled += chunk.copy(place, filled);
    },
    whole() {
      if (place !== undefined) return place.subarray(0, filled);
      return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    },
  };
}

function requireJson({ headers }: IncomingMessage): void {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) {
    throw new GatewayError('unsupported_media_type', 'Send the body as "content-type: application/json".');
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError('unsupported_media_type', 'Compressed request bodies are not accepted.');
  }
}

function tooLarge({ maxBytes }: BodyLimits): GatewayError {
  const message = `The request body is larger than ${maxBytes} bytes (server.max_body).`;
  return new GatewayError('request_too_large', message, { headers: { connection: 'close' } });
}
