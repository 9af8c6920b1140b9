// File descriptors, of which every socket takes one: how many this process may have, and how many it has. Linux only;
// elsewhere nothing is known, and nothing is limited.
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { Clock } from '../clock.ts';

/** The soft limit; Node raises it to the hard one as it starts. Undefined: none, or not known. */
export function descriptorLimit(): number | undefined {
  try {
    return softLimitIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** `Max open files  SOFT  HARD  files`, where each may be `unlimited`. */
export function softLimitIn(limits: string): number | undefined {
  const [, soft] = /^Max open files +(\d+)/m.exec(limits) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/** Undefined where it can't be counted, for another reason than that there is none left to count with. */
async function openDescriptors(limit: number): Promise<number | undefined> {
  try {
    return (await readdir('/proc/self/fd')).length;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EMFILE' ? limit : undefined;
  }
}

export interface DescriptorParts {
  readonly clock: Clock;
  readonly limit: number;
  /** Sockets of callers, which may grow by thousands between two counts. */
  readonly callers: () => number;
}

const countEveryMs = 1_000;

/** How many descriptors are open: counted now and then, and in between by how many callers have come and gone. */
export class DescriptorCount {
  readonly #parts: DescriptorParts;
  #counted = 0;
  #callersThen = 0;
  #nextMs = -Infinity;
  #isCounting = false;

  constructor(parts: DescriptorParts) {
    this.#parts = parts;
  }

  get now(): number {
    const { clock, callers } = this.#parts;
    if (!this.#isCounting && clock.now() >= this.#nextMs) void this.#count();
    return this.#counted + callers() - this.#callersThen;
  }

  async #count(): Promise<void> {
    const { clock, limit, callers } = this.#parts;
    this.#isCounting = true;
    const counted = await openDescriptors(limit);
    this.#isCounting = false;
    this.#nextMs = clock.now() + countEveryMs;
    this.#counted = counted ?? 0;
    this.#callersThen = callers();
  }
}

/** How many callers may be connected: each may need a second descriptor towards a backend, and some are for the rest. */
export function connectionsWithin(limit: number): number {
  return Math.max(Math.floor(limit / 4), Math.floor(limit / 2) - 500);
}
