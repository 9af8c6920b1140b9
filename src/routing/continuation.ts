// What is known of a stream that has begun, so that another backend can go on with it when the first one dies: what the
// caller has so far, and the stamp it bears. Says whether going on is possible, and never guesses.
import type { Usage } from '../engines/engine.ts';
import type { ErrorCode, GatewayError } from '../errors.ts';
import { isFilled, isObject, type JsonObject, parseJson } from '../wire/json-value.ts';
import { resumable } from './resume-request.ts';
import type { InferenceRequest } from './exchange.ts';

/** How often a stream may be taken on, failed tries included. */
const maxTries = 3;
/** Of text that is kept for it. */
const maxTextLength = 1_048_576;

/** Beside what may be tried elsewhere before the commit. */
const survivable: ReadonlySet<ErrorCode> = new Set(['gap_timeout']);

export class Continuation {
  readonly #request: InferenceRequest;
  /** What the caller has of the answer. */
  text = '';
  /** Tokens that it is made of, as far as can be told: one for each event with text. */
  tokens = 0;
  /** Times that another backend went on with it. */
  times = 0;
  /** What ended the last part; undefined while one runs. */
  brokenBy: GatewayError | undefined = undefined;
  /** Top-level members that make chunks of one stream: `id`, `created`, `model` and the like. */
  #stamp: JsonObject | undefined = undefined;
  #finished = false;
  /** Something was sent that no prompt can carry on. */
  #stuck = false;
  #tries = 0;
  /** Of the parts before the one that runs. */
  #tokensBefore = 0;
  /** What the caller has already of the blank that the next part begins with. */
  #blank = '';

  constructor(request: InferenceRequest) {
    this.#request = request;
  }

  /** Whether the next part is to be asked for, not the first one. */
  get isDue(): boolean {
    return this.brokenBy !== undefined;
  }

  /** Takes note of an event that the caller gets. */
  note(data: string): void {
    if (this.#stuck) return;
    const event = parseJson(data);
    if (!isObject(event) || !Array.isArray(event['choices'])) return;
    if (this.#stamp === undefined) {
      const { choices: _choices, usage: _usage, ...stamp } = event;
      this.#stamp = stamp;
    }
    for (const choice of event['choices']) if (isObject(choice)) this.#noteChoice(choice);
  }

  /** Whether another backend may take it on after this. */
  maySurvive(failure: GatewayError): boolean {
    const { code, row } = failure;
    if (row.elsewhere === 'no' && !survivable.has(code)) return false;
    // What the caller has is no stream of chunks: an answer in one piece, for one.
    if (this.#stamp === undefined) return false;
    if (this.#tries >= maxTries || this.#stuck || this.#finished || (this.tokensLeft ?? 1) <= 0) return false;
    return resumable(this.#request);
  }

  /** What was noted never left. */
  forget(): void {
    this.#stamp = undefined;
    this.#stuck = false;
  }

  /** The part that runs has failed with this, and the next one is due. */
  break(failure: GatewayError): void {
    this.brokenBy ??= failure;
    this.#tries++;
    this.#tokensBefore = this.tokens;
    this.#blank = this.text.slice(this.prompt.length);
  }

  /** What the next backend is told was said. Templates trim what they are given, so the blank at its end is left to us. */
  get prompt(): string {
    return this.text.trimEnd();
  }

  get wasTried(): boolean {
    return this.#tries > 0;
  }

  /** The next part has begun. */
  resume(): void {
    this.brokenBy = undefined;
    this.times++;
  }

  /** Tokens the caller may still get; undefined: as many as there are. */
  get tokensLeft(): number | undefined {
    const { maxTokens } = this.#request;
    return maxTokens === undefined ? undefined : maxTokens - this.tokens;
  }

  /** What completes the stream without any backend; undefined where that needs one. */
  rest(): string | undefined {
    // Nobody is left who could tell the usage, or how far the other answers were.
    if (this.#stuck || this.#request.includeUsage || this.#request.answers !== 1) return undefined;
    if (this.#stamp === undefined) return undefined;
    if (this.#finished) return done;
    if ((this.tokensLeft ?? Infinity) > 0) return undefined;
    const part = this.#request.endpoint === 'completions' ? { text: '' } : { delta: {} };
    const last = { ...this.#stamp, choices: [{ index: 0, ...part, finish_reason: 'length' }] };
    return `data: ${JSON.stringify(last)}\n\n${done}`;
  }

  /**
   * One event of a later part as the caller gets it: under the stamp of the first, without a role said twice, with the
   * usage of all parts. Undefined: not at all.
   */
  stitch(data: string): string | undefined {
    const event = parseJson(data);
    // An error, above all, stays as it was sent.
    if (!isObject(event) || !Array.isArray(event['choices'])) return data;
    const choices = event['choices'].map((choice) => this.#joined(choice));
    const stitched = { ...event, ...this.#stamp, choices };
    if (isObject(event['usage'])) return JSON.stringify({ ...stitched, usage: this.#summed(event['usage']) });
    return choices.every(saysNothing) ? undefined : JSON.stringify(stitched);
  }

  /** Usage of a later part → of the whole: what had been said before was part of its prompt. */
  sum(usage: Usage): Usage {
    const before = this.#tokensBefore;
    return {
      ...usage,
      inputTokens: Math.max(0, usage.inputTokens - before),
      outputTokens: usage.outputTokens + before,
    };
  }

  /** Without its role, and without the blank that stands there already. */
  #joined(choice: unknown): unknown {
    if (!isObject(choice)) return choice;
    if (typeof choice['text'] === 'string') return { ...choice, text: this.#withoutBlank(choice['text']) };
    if (!isObject(choice['delta'])) return choice;
    const { role: _role, ...delta } = choice['delta'];
    const { content } = delta;
    return {
      ...choice,
      delta: typeof content === 'string' ? { ...delta, content: this.#withoutBlank(content) } : delta,
    };
  }

  #withoutBlank(said: string): string {
    let same = 0;
    while (same < said.length && same < this.#blank.length && said[same] === this.#blank[same]) same++;
    // Anything else than the blank that is expected ends the expectation.
    this.#blank = same === said.length ? this.#blank.slice(same) : '';
    return said.slice(same);
  }

  #summed(usage: JsonObject): JsonObject {
    const { prompt_tokens: prompt, completion_tokens: completion } = usage;
    if (typeof prompt !== 'number' || typeof completion !== 'number') return usage;
    const { inputTokens, outputTokens } = this.sum({ inputTokens: prompt, outputTokens: completion });
    const numbers = { prompt_tokens: inputTokens, completion_tokens: outputTokens };
    return { ...usage, ...numbers, total_tokens: inputTokens + outputTokens };
  }

  #noteChoice(choice: JsonObject): void {
    const { delta, text, finish_reason: reason, ...others } = choice;
    const said = isObject(delta) ? delta['content'] : text;
    if (typeof said === 'string' && said !== '') {
      this.text += said;
      this.tokens++;
    }
    if (isFilled(reason) && reason !== 'abort') this.#finished = true;
    const { content: _content, role: _role, ...rest } = isObject(delta) ? delta : {};
    const isMore = [...Object.values(rest), others['logprobs']].some(isFilled);
    if (isMore || (choice['index'] ?? 0) !== 0 || this.text.length > maxTextLength) this.#giveUp();
  }

  /** Nothing of it will be needed any more. */
  #giveUp(): void {
    this.#stuck = true;
    this.text = '';
  }
}

const done = 'data: [DONE]\n\n';

function saysNothing(choice: unknown): boolean {
  if (!isObject(choice) || isFilled(choice['finish_reason']) || isFilled(choice['text'])) return false;
  return !isObject(choice['delta']) || !Object.values(choice['delta']).some(isFilled);
}
