// What Redis is to be told and nobody waits for: ends of grants, and what was allowed without it. Each is booked once,
// however often it is sent, so what is not acknowledged is simply sent again.
import type { Connection } from './connection.ts';
import type { Call } from './limit-calls.ts';
import type { ScriptName } from './script-files.ts';

/** Beyond this the oldest are given up: what they reserved wears off by itself. */
const mostKept = 10_000;
/** A second apart: more than a flapping server needs, and an end for what can never be booked. */
const mostTries = 30;

export interface Message {
  readonly tenant: string;
  readonly script: ScriptName;
  readonly call: Call;
}

interface Kept extends Message {
  readonly tries: number;
}

export class Outbox {
  readonly #connection: Connection;
  readonly #failed: (script: ScriptName, thrown: unknown) => void;
  #kept: Kept[] = [];
  readonly #sent = new Set<Promise<unknown>>();

  constructor(connection: Connection, failed: (script: ScriptName, thrown: unknown) => void) {
    this.#connection = connection;
    this.#failed = failed;
  }

  send(message: Message): void {
    this.#send({ ...message, tries: 1 });
  }

  /** For when Redis is back. */
  keep(message: Message): void {
    this.#keep({ ...message, tries: 0 });
  }

  /** Of one tenant; undefined: of all. */
  sendKept(tenant?: string): void {
    if (this.#kept.length === 0) return;
    const kept = this.#kept;
    const isMeant = (message: Message) => tenant === undefined || message.tenant === tenant;
    this.#kept = kept.filter((message) => !isMeant(message));
    for (const message of kept) if (isMeant(message)) this.#send({ ...message, tries: message.tries + 1 });
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#sent.size > 0) await Promise.all(this.#sent);
  }

  get kept(): number {
    return this.#kept.length;
  }

  #send(message: Kept): void {
    const { script, call, tries } = message;
    const sent = this.#connection
      .run(script, call)
      .catch((thrown: unknown) => {
        this.#failed(script, thrown);
        if (tries < mostTries) this.#keep(message);
      })
      .finally(() => this.#sent.delete(sent));
    this.#sent.add(sent);
  }

  #keep(message: Kept): void {
    this.#kept.push(message);
    if (this.#kept.length > 2 * mostKept) this.#kept = this.#kept.slice(-mostKept);
  }
}
