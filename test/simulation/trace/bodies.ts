// Prompts as bytes, so that the production fingerprint reads what it would read. Every block has fixed pseudo-random letters,
// four bytes a token, and the same prefix of blocks is the same prefix of bytes. Blocks that many requests share are the system
// prompt; where an earlier request ends and another goes on, an answer and a new user message stand between. What an earlier
// request had beyond its last full block is the beginning of the block that continues it, as it is when a history is sent again.
import { seededRandom } from '../../support/seeded-random.ts';
import type { Trace, TraceRequest } from './trace.ts';

const head = '{"model":"m","stream":true,';
const system = Buffer.from('"messages":[{"role":"system","content":"');
const user = Buffer.from('"},{"role":"user","content":"');
const turn = Buffer.from('"},{"role":"assistant","content":"Yes."},{"role":"user","content":"');
const end = Buffer.from('"}]}');
const bytesPerToken = 4;
/** Passed by more than this share of all requests, a block is nobody's conversation. */
const systemShare = 0.02;
const leastSystemUses = 20;

interface End {
  /** The first request that ends there. */
  readonly by: number;
  /** Tokens it has beyond. */
  readonly rest: number;
  /** The block that goes on from there in a later request. */
  next: number | undefined;
}

export class Bodies {
  readonly #blockTokens: number;
  /** Chain name → how many requests pass it. */
  readonly #uses: Uint32Array;
  readonly #systemUses: number;
  /** Chain name → what ends there. */
  readonly #ends = new Map<number, End>();
  /** Chain name of a block that continues an earlier request → tokens of it that were in that one. */
  readonly #continued = new Map<number, number>();

  readonly #sessions: boolean;

  /** `sessions`: whether they name their conversation. */
  constructor({ blockTokens, requests, chains }: Trace, { sessions }: { readonly sessions: boolean }) {
    this.#sessions = sessions;
    this.#blockTokens = blockTokens;
    this.#uses = new Uint32Array(chains);
    this.#systemUses = Math.max(leastSystemUses, requests.length * systemShare);
    for (const { chain } of requests) for (const name of chain) this.#uses[name] = (this.#uses[name] ?? 0) + 1;
    for (const request of requests) this.#look(request);
  }

  /** A chat request, UTF-8. */
  of({ chain, input, index, conversation }: TraceRequest): Buffer {
    const named =
      this.#sessions && conversation !== undefined ? `"prompt_cache_key":${JSON.stringify(conversation)},` : '';
    const parts: Uint8Array[] = [Buffer.from(head + named), system];
    let inSystem = true;
    for (const [place, name] of chain.entries()) {
      if (inSystem && !this.#isSystem(name)) {
        parts.push(user);
        inSystem = false;
      }
      const block = letters(name, this.#blockTokens);
      const kept = this.#continued.get(name);
      if (kept === undefined) parts.push(block);
      else parts.push(block.subarray(0, kept * bytesPerToken), turn, block.subarray(kept * bytesPerToken));
      const ended = this.#ends.get(name);
      const next = chain[place + 1];
      if (ended !== undefined && ended.by < index && (next === undefined || next !== ended.next)) parts.push(turn);
    }
    if (inSystem) parts.push(user);
    parts.push(this.#rest(chain, input, index), end);
    return Buffer.concat(parts);
  }

  #look({ chain, input, index }: TraceRequest): void {
    for (let place = 0; place + 1 < chain.length; place++) {
      const ended = this.#ends.get(chain[place] ?? 0);
      const next = chain[place + 1];
      if (ended === undefined || ended.next !== undefined || next === undefined) continue;
      ended.next = next;
      this.#continued.set(next, ended.rest);
    }
    const last = chain.at(-1);
    const rest = input - chain.length * this.#blockTokens;
    if (last === undefined || this.#isSystem(last) || this.#ends.has(last) || rest >= this.#blockTokens) return;
    this.#ends.set(last, { by: index, rest, next: undefined });
  }

  /** Nobody else's, unless somebody goes on from it. */
  #rest(chain: readonly number[], input: number, index: number): Uint8Array {
    const tokens = input - chain.length * this.#blockTokens;
    const ended = this.#ends.get(chain.at(-1) ?? -1);
    const name = ended?.by === index && ended.next !== undefined ? ended.next : -1 - index;
    return letters(name, tokens);
  }

  #isSystem(name: number): boolean {
    return (this.#uses[name] ?? 0) > this.#systemUses;
  }
}

function letters(name: number, tokens: number): Uint8Array {
  const words = new Uint32Array(tokens);
  let state = Math.floor(seededRandom(name)() * 4_294_967_296) | 1;
  for (let place = 0; place < words.length; place++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[place] = (state & 0x0f0f0f0f) | 0x61616161;
  }
  return new Uint8Array(words.buffer);
}
