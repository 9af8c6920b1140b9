// A reply that is no event stream: held up to 1 MiB and judged whole, then handed on; a longer one commits there.
import type { HeaderMap, Usage } from '../engines/engine.ts';
import { findUsage, readUsage } from '../engines/usage.ts';
import { type JsonObject, objectOf, parseJson } from '../wire/json-value.ts';
import { MemberRenamer } from '../wire/rename-member.ts';
import type { Attempt, Relay } from './attempt.ts';
import { type AttemptFailure, broken, passedHeaders, replied } from './failures.ts';
import { renameModel } from './prepare.ts';

const maxHeldBytes = 1_048_576;
const maxJudgedBytes = 65_536;
/** Of a reply too long to parse, where its usage is looked for: at its beginning and at its end. */
const usageBytes = 4_096;
const notStreamed = 'answered in one piece where an event stream was due';

export class PlainRelay implements Relay {
  readonly #attempt: Attempt;
  readonly #status: number;
  readonly #headers: HeaderMap;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #renamer: MemberRenamer | undefined = undefined;
  #end = Buffer.alloc(0);
  #usageAtBeginning: Usage | undefined = undefined;

  constructor(attempt: Attempt, status: number, headers: HeaderMap) {
    this.#attempt = attempt;
    this.#status = status;
    this.#headers = headers;
  }

  data(chunk: Buffer): void {
    this.#attempt.progressed();
    if (this.#attempt.committed) {
      this.#keepEnd(chunk);
      return this.#attempt.write(this.#renamer?.push(chunk) ?? chunk);
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > maxHeldBytes) this.#commitLong();
  }

  ended(): void {
    if (this.#attempt.committed) {
      this.#attempt.exchange.usage = findUsage(this.#end.toString('latin1')) ?? this.#usageAtBeginning;
      return this.#attempt.finish();
    }
    const body = this.#held.length === 1 ? (this.#held[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#held);
    const reply = parseObject(body);
    const failure = this.#judge(body, reply);
    if (failure !== undefined) return this.#attempt.end(failure);
    if (reply === undefined)
      return this.#attempt.end(broken(this.#candidate, `answered ${this.#status} with something that is not JSON`));
    if (this.#attempt.mustStream) return this.#attempt.end(broken(this.#candidate, notStreamed));
    this.#attempt.exchange.usage = readUsage(reply);
    const { renameTo } = this.#attempt.prepared;
    const sent = renameTo === undefined ? body : renameModel(body, body.indexOf('{'), renameTo);
    this.#attempt.commit(this.#status, [...passedHeaders(this.#headers), ['content-length', String(sent.length)]]);
    this.#attempt.finish(undefined, sent);
  }

  broke(failure: AttemptFailure): void {
    this.#attempt.end(failure);
  }

  get #candidate() {
    return this.#attempt.slot.candidate;
  }

  #judge(body: Buffer, reply: JsonObject | undefined): AttemptFailure | undefined {
    // Never followed, and its target never shown: a redirect would leave the fleet.
    if (this.#status >= 300 && this.#status < 400)
      return broken(this.#candidate, `answered with a redirect (${this.#status})`);
    const judged = body.length > maxJudgedBytes ? body.subarray(0, maxJudgedBytes) : body;
    const judgement = this.#candidate.engine.judge(this.#status, this.#headers, judged, reply);
    if (judgement.verdict === 'serve') return undefined;
    // Inside a 200 only an error object is the backend's own word; anything else is no answer at all.
    const isError = this.#status >= 400 || reply?.error !== undefined || reply?.object === 'error';
    const usage = reply === undefined ? undefined : readUsage(reply);
    if (!isError)
      return broken(this.#candidate, `answered ${this.#status} with something that is no complete answer`, usage);
    return replied(this.#candidate, judgement, { status: this.#status, headers: this.#headers, body, usage });
  }

  /** Too long to hold: what its beginning tells has to do. */
  #commitLong(): void {
    const body = Buffer.concat(this.#held);
    this.#held = [];
    const judgement = this.#candidate.engine.judge(this.#status, this.#headers, body.subarray(0, maxJudgedBytes));
    const fine = judgement.verdict === 'serve' || (this.#status >= 400 && judgement.verdict === 'caller');
    if (!fine)
      return this.#attempt.end(
        broken(this.#candidate, `answered ${this.#status} with more than 1 MiB (${judgement.verdict})`),
      );
    if (this.#attempt.mustStream) return this.#attempt.end(broken(this.#candidate, notStreamed));
    const { renameTo } = this.#attempt.prepared;
    if (renameTo !== undefined && this.#status < 400) this.#renamer = new MemberRenamer('model', renameTo);
    this.#attempt.commit(this.#status, passedHeaders(this.#headers));
    this.#usageAtBeginning = findUsage(body.subarray(0, usageBytes).toString('latin1'));
    this.#keepEnd(body);
    this.#attempt.write(this.#renamer?.push(body) ?? body);
  }

  #keepEnd(chunk: Buffer): void {
    const joined = chunk.length >= usageBytes ? chunk : Buffer.concat([this.#end, chunk]);
    // A copy: a view would keep the whole chunk.
    this.#end = Buffer.from(joined.subarray(-usageBytes));
  }
}

function parseObject(body: Buffer): JsonObject | undefined {
  return objectOf(parseJson(body.toString('utf8')));
}
