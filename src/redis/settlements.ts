// Ends of grants on their way to Redis. Nobody waits for them; what fails is sent again when Redis is back, which is safe
// because settle.lua books each only once.
import type { Connection } from './connection.ts';
import type { Call } from './counters.ts';

/** Beyond this the oldest are given up: their reservations wear off by themselves. */
const mostKept = 10_000;
const mostTries = 5;

interface Settlement {
  readonly call: Call;
  readonly tries: number;
}

export class Settlements {
  readonly #connection: Connection;
  readonly #failed: (thrown: unknown) => void;
  #kept: Settlement[] = [];
  readonly #sent = new Set<Promise<unknown>>();

  constructor(connection: Connection, failed: (thrown: unknown) => void) {
    this.#connection = connection;
    this.#failed = failed;
  }

  send(call: Call): void {
    this.#send({ call, tries: 1 });
  }

  /** For when Redis is back. */
  keep(call: Call): void {
    this.#keep({ call, tries: 0 });
  }

  sendKept(): void {
    for (const { call, tries } of this.#kept.splice(0)) this.#send({ call, tries: tries + 1 });
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#sent.size > 0) await Promise.all(this.#sent);
  }

  get kept(): number {
    return this.#kept.length;
  }

  #send(settlement: Settlement): void {
    const { keys, args } = settlement.call;
    const sent = this.#connection
      .run('settle', keys, args)
      .catch((thrown: unknown) => {
        this.#failed(thrown);
        if (settlement.tries < mostTries) this.#keep(settlement);
      })
      .finally(() => this.#sent.delete(sent));
    this.#sent.add(sent);
  }

  #keep(settlement: Settlement): void {
    this.#kept.push(settlement);
    if (this.#kept.length > 2 * mostKept) this.#kept = this.#kept.slice(-mostKept);
  }
}
