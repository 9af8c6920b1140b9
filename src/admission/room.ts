// The router's own door: a request is let in with the bytes of its body, or refused before a byte of it is read.
import { GatewayError } from '../errors.ts';
import type { HeldBytes, Holding } from './held-bytes.ts';
import type { Overload, Resource } from './overload.ts';

/** A request that was let in; its bytes are held until `leave`. */
export interface Guest {
  /** So many bytes of its body have come by now. @throws GatewayError `overloaded` */
  received(bytes: number): void;
  /** Idempotent. */
  leave(): void;
}

export interface RoomParts {
  readonly overload: Overload;
  readonly bytes: HeldBytes;
  readonly refused: (resource: Resource) => void;
}

const reasons: Readonly<Record<Resource, string>> = {
  event_loop_delay: 'it is behind with what it has to do',
  heap: 'its memory is nearly used up',
  open_files: 'it has nearly as many sockets open as it may',
  buffered: 'it holds as many bytes of requests and answers as it may',
};

export class Room {
  readonly #parts: RoomParts;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** `announced`: the bytes of the body, as far as they are known. @throws GatewayError `overloaded` */
  enter(tenant: string, announced: number): Guest {
    const { overload, bytes } = this.#parts;
    const { shortOf } = overload;
    if (shortOf !== undefined) throw this.#refuse(shortOf);
    const holding: Holding | undefined = bytes.take(tenant, announced);
    if (holding === undefined) throw this.#refuse('buffered');
    let held = announced;
    return {
      received: (total) => {
        if (total <= held) return;
        if (!holding.grow(total - held)) throw this.#refuse('buffered', { connection: 'close' });
        held = total;
      },
      leave: () => holding.release(),
    };
  }

  #refuse(resource: Resource, more: Readonly<Record<string, string>> = {}): GatewayError {
    this.#parts.refused(resource);
    const message = `This router is overloaded: ${reasons[resource]} (server.overload.${resource}).`;
    // Another replica may have room; and where sockets are short, this one is one of them.
    const closing = resource === 'open_files' ? { connection: 'close' } : more;
    return new GatewayError('overloaded', message, {
      headers: { 'x-should-retry': 'true', ...closing },
      retryAfterSeconds: 1,
    });
  }
}
