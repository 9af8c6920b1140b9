// Where replicas call out to each other: whoever listens at that moment hears it, and nothing is kept. A connection of its own to
// listen with, and one to call with; nobody waits for either.
import { Redis } from 'ioredis';
import type { SharedStateSettings } from '../fleet/shared-state.ts';
import { openClient } from './connection.ts';

export interface Channel {
  /** Goes nowhere while there is no connection. */
  publish(bytes: Uint8Array): void;
  close(): void;
}

export interface ChannelEvents {
  /** Also what was published here. */
  heard(bytes: Uint8Array<ArrayBuffer>): void;
  /** It is listened to, or not any more. */
  changed(listening: boolean): void;
}

/** More that nobody has taken yet would only tell what is old by then. */
const mostOnTheWay = 32;
/** A connection on which nothing comes is found dead by asking. */
const pingMs = 1_000;

/** `name`: behind the prefix of the keys. */
export function openChannel(settings: SharedStateSettings, name: string, events: ChannelEvents): Channel {
  const channel = `${settings.prefix}${name}`;
  const [ears, mouth] = [openClient(settings), openClient(settings)];
  let onTheWay = 0;
  /** Undefined: that was not to be seen yet. */
  let isListening: boolean | undefined;
  let isClosed = false;
  const change = (listening: boolean) => {
    if (listening === isListening || isClosed) return;
    isListening = listening;
    events.changed(listening);
  };
  // What fails is told by what is not heard; why, by the connection that limits are counted through.
  for (const client of [ears, mouth]) client.on('error', ignore);
  ears.on(
    'ready',
    () =>
      void ears.subscribe(channel).then(
        () => change(true),
        () => change(false),
      ),
  );
  ears.on('close', () => change(false));
  ears.on('messageBuffer', (_channel: Buffer, bytes: Buffer) => {
    // A copy: it lies in a piece of what was received.
    if (!isClosed) events.heard(new Uint8Array(bytes));
  });
  const ping = setInterval(() => {
    if (ears instanceof Redis && isListening === true) ears.ping().catch(ignore);
  }, pingMs);
  return {
    publish(bytes) {
      if (isClosed || onTheWay >= mostOnTheWay) return;
      onTheWay++;
      void mouth
        .publish(channel, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
        .catch(ignore)
        .finally(() => onTheWay--);
    },
    close() {
      isClosed = true;
      clearInterval(ping);
      ears.disconnect();
      mouth.disconnect();
    },
  };
}

function ignore(): void {}
