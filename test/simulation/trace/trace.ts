// What is replayed: requests with their lengths and the names of their prompt blocks; no text, text is made from the names.

export interface TraceRequest {
  /** Its place in the trace, from 0. */
  readonly index: number;
  /** Seconds from the start; where `after` is set it counts for nothing. */
  readonly atS: number;
  /** Prompt tokens, at least 1. */
  readonly input: number;
  /** Tokens generated, at least 1. */
  readonly output: number;
  /** One name per full block of the prompt; a name stands for the whole prefix up to there. Dense, from 0. */
  readonly chain: readonly number[];
  /** What an explicit session header would carry. */
  readonly conversation: string | undefined;
  /** Whose it is; undefined: everybody's. */
  readonly tenant: string | undefined;
  /** Arrives `thinkS` after that request has been answered. */
  readonly after: number | undefined;
  readonly thinkS: number;
}

export interface Trace {
  readonly name: string;
  readonly blockTokens: number;
  readonly requests: readonly TraceRequest[];
  /** How many names there are. */
  readonly chains: number;
  /** Of the text it was read from, or of what it was generated from. */
  readonly sha256: string;
}

/** One line of the common format. */
export interface TraceLine {
  readonly at?: number | null;
  readonly input: number;
  readonly output: number;
  readonly blocks?: readonly number[] | null;
  readonly block_tokens?: number | null;
  readonly conversation?: string | null;
  readonly tenant?: string | null;
  readonly think?: number | null;
  readonly after?: number | null;
}

/** Gives block ids their chain names: the same name exactly where everything up to there is the same. */
export class ChainNames {
  readonly #ids = new Map<number, number>();
  readonly #names = new Map<number, number>();

  get count(): number {
    return this.#names.size;
  }

  of(blocks: readonly number[]): readonly number[] {
    let parent = 0;
    return blocks.map((block) => {
      const id = named(this.#ids, block);
      const name = named(this.#names, parent * 2 ** 26 + id);
      parent = name + 1;
      return name;
    });
  }
}

function named(names: Map<number, number>, key: number): number {
  const known = names.get(key);
  if (known !== undefined) return known;
  names.set(key, names.size);
  return names.size - 1;
}

const withoutBlocksTokens = 512;

/** Lines → a trace; `after` must point to an earlier line, and all blocks must be of one size. */
export function traceOf(name: string, lines: readonly TraceLine[], sha256: string): Trace {
  const names = new ChainNames();
  const blockTokens = lines.find(({ block_tokens }) => typeof block_tokens === 'number')?.block_tokens;
  const pageTokens = blockTokens ?? withoutBlocksTokens;
  const requests = lines.map((line, index): TraceRequest => {
    const whole = Math.floor(line.input / pageTokens);
    return {
      index,
      atS: line.at ?? 0,
      input: line.input,
      output: Math.max(1, line.output),
      chain: names.of((line.blocks ?? []).slice(0, whole)),
      conversation: line.conversation ?? undefined,
      tenant: line.tenant ?? undefined,
      after: line.after ?? undefined,
      thinkS: line.think ?? 0,
    };
  });
  return { name, blockTokens: pageTokens, requests, chains: names.count, sha256 };
}

/** The same without the order in which the file was written: arrivals inside a tick of `tickS` come at any time of it. */
export function spreadInTicks(trace: Trace, tickS: number, random: () => number): Trace {
  const requests = trace.requests.map((request) => ({ ...request, atS: request.atS + random() * tickS }));
  return { ...trace, requests };
}

/** Arrives `factor` times as fast; the time people think stays. */
export function faster(trace: Trace, factor: number): Trace {
  return { ...trace, requests: trace.requests.map((request) => ({ ...request, atS: request.atS / factor })) };
}

/** Seconds from the first arrival to the last that is told by the clock. */
export function spanS({ requests }: Trace): number {
  return requests.reduce((latest, { atS, after }) => (after === undefined ? Math.max(latest, atS) : latest), 0);
}

/** Only requests of an open loop whose prompts have at most so many tokens. */
export function shorterThan(trace: Trace, tokens: number): Trace {
  const requests = trace.requests
    .filter(({ input, after }) => input <= tokens && after === undefined)
    .map((request, index) => ({ ...request, index }));
  return { ...trace, name: `${trace.name}, at most ${tokens} tokens`, requests };
}
