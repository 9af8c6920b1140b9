// A placement in touch with those of other routers: writes what it has sent where, ten times a second as long as that changes, and
// takes in what they write. Nothing waits for any of it; what is lost on the way is asked for, and who is silent is forgotten.
import type { Clock } from '../../clock.ts';
import { decodeLetter, encodeLetter, type Letter } from './letters.ts';
import type { Message } from './outbox.ts';
import type { Placement } from './placement.ts';

export interface GossipParts {
  /** See `Letter`. */
  readonly id: string;
  readonly clock: Clock;
  readonly placement: Placement;
  /** Indexes of all backends there are, each of them joined; the same array for as long as they are the same. */
  readonly backends: () => readonly number[];
  /** Whether requests are placed by this at all. */
  readonly isOn: () => boolean;
  /** To all others. */
  readonly send: (letter: Uint8Array<ArrayBuffer>) => void;
  /** How many routers are in touch, this one included; told when it changes. */
  readonly inTouch?: ((routers: number) => void) | undefined;
}

const tickMs = 100;
/** Written at least so often, changed or not; and everything, whatever was lost. */
const [beatMs, wholeMs] = [1_000, 5_000];
/** Who was not heard for so long is gone. */
const aliveMs = 2_000;

interface Peer {
  sequence: number;
  heardMs: number;
  /** When it was asked for everything; not since it has told that. */
  askedMs: number;
}

export class Gossip {
  readonly #parts: GossipParts;
  readonly #peers = new Map<string, Peer>();
  #backends: readonly number[] = [];
  /** Hash of a name → index; -1: of two that can't be told apart. */
  readonly #indexes = new Map<number, number>();
  #sequence = 0;
  #sentMs = -Infinity;
  #wholeMs = -Infinity;
  #told = 0;
  #cancel = () => {};

  constructor(parts: GossipParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#cancel = this.#parts.clock.after(tickMs, () => {
      this.#tick();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
    if (this.#sequence > 0) this.#send({ kind: 'farewell', sender: this.#parts.id });
  }

  heard(bytes: Uint8Array): void {
    const { id, isOn } = this.#parts;
    const letter = isOn() ? decodeLetter(bytes) : undefined;
    if (letter === undefined || letter.sender === id) return;
    switch (letter.kind) {
      case 'farewell':
        return this.#forget(letter.sender);
      case 'wanted':
        if (letter.of === id) this.#wholeMs = -Infinity;
        return;
      case 'news':
      case 'whole':
        return this.#take(letter);
      default:
        return letter satisfies never;
    }
  }

  #take({ kind, sender, sequence, message }: Letter & { readonly kind: 'news' | 'whole' }): void {
    const { clock, placement, id } = this.#parts;
    const nowMs = clock.now();
    this.#know();
    const peer = this.#peers.get(sender) ?? { sequence: -1, heardMs: nowMs, askedMs: -Infinity };
    // It was held up on its way, and newer ones were not.
    if (sequence <= peer.sequence) return;
    const isMissed = kind === 'news' && sequence !== peer.sequence + 1;
    this.#peers.set(sender, peer);
    peer.sequence = sequence;
    peer.heardMs = nowMs;
    if (kind === 'whole') {
      // What it does not mention any more is nothing.
      placement.peers.forget(sender);
      peer.askedMs = -Infinity;
    } else if (isMissed || peer.askedMs !== -Infinity) {
      if (nowMs - peer.askedMs >= beatMs) {
        peer.askedMs = nowMs;
        this.#send({ kind: 'wanted', sender: id, of: sender });
      }
    }
    placement.incoming(
      sender,
      this.#translated(message, (hash) => this.#indexes.get(hash) ?? -1),
    );
    this.#tellRouters();
  }

  #tick(): void {
    const { clock, isOn, placement, id } = this.#parts;
    const nowMs = clock.now();
    for (const [name, { heardMs }] of this.#peers) if (nowMs - heardMs > aliveMs) this.#forget(name);
    this.#tellRouters();
    if (!isOn()) return;
    this.#know();
    const whole = nowMs - this.#wholeMs >= wholeMs;
    const { loads } = placement;
    const hashOf = (index: number) => (this.#indexes.get(loads.id[index] ?? 0) === index ? (loads.id[index] ?? 0) : -1);
    const message = this.#translated(placement.outgoing({ all: whole }), hashOf);
    const isNews = message.loads.length + message.prefixes.length > 0;
    if (!whole && !isNews && nowMs - this.#sentMs < beatMs) return;
    if (whole) this.#wholeMs = nowMs;
    this.#sentMs = nowMs;
    this.#send({ kind: whole ? 'whole' : 'news', sender: id, sequence: this.#sequence++, message });
  }

  /** Without those that the other side has no word for, -1. */
  #translated({ loads, prefixes }: Message, translate: (backend: number) => number): Message {
    const renamed = <Told extends { readonly backend: number }>(all: readonly Told[]) =>
      all.map((told) => ({ ...told, backend: translate(told.backend) })).filter(({ backend }) => backend !== -1);
    return { loads: renamed(loads), prefixes: renamed(prefixes) };
  }

  #know(): void {
    const backends = this.#parts.backends();
    if (backends === this.#backends) return;
    this.#backends = backends;
    this.#indexes.clear();
    for (const index of backends) {
      const hash = this.#parts.placement.loads.id[index] ?? 0;
      this.#indexes.set(hash, this.#indexes.has(hash) ? -1 : index);
    }
  }

  #forget(peer: string): void {
    this.#peers.delete(peer);
    this.#parts.placement.peers.forget(peer);
    this.#tellRouters();
  }

  #tellRouters(): void {
    const { routers } = this.#parts.placement;
    if (routers === this.#told) return;
    this.#told = routers;
    this.#parts.inTouch?.(routers);
  }

  #send(letter: Letter): void {
    this.#parts.send(encodeLetter(letter));
  }
}
