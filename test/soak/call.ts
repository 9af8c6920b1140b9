// One caller: sends a request, checks every piece of the answer as it comes, perhaps hangs up, and tells the one way in which
// it ended.
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { ContentCheck } from './content.ts';
import type { Wish } from './engine.ts';

export const kinds = ['stream', 'plain', 'embeddings'] as const;
export type Kind = (typeof kinds)[number];

export interface Plan {
  readonly kind: Kind;
  readonly wish: Wish;
  /** Hangs up so long after it has sent, or behind so many pieces. */
  readonly leaves?: { readonly afterMs: number } | { readonly afterPieces: number };
}

export interface Where {
  readonly port: number;
  readonly agent: Agent;
}

/**
 * whole: the answer is complete and right · left: hung up, as planned · refused: an error in place of an answer ·
 * broken: an answer that had begun broke off, and said so · wrong: anything that must never happen
 */
export type Ending = 'whole' | 'left' | 'refused' | 'broken' | 'wrong';

export interface Outcome {
  readonly plan: Plan;
  readonly ending: Ending;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly firstMs: number | undefined;
  /** 0: none came. */
  readonly status: number;
  readonly pieces: number;
  readonly backend: string | undefined;
  /** The error's type, or what was wrong. */
  readonly detail: string;
}

export function call(where: Where, plan: Plan): Promise<Outcome> {
  return new Promise((resolve) => new Call(where, plan, resolve).send());
}

/** Longer than anything that a router may let a caller wait for. */
const patienceMs = 35_000;

class Call {
  readonly #where: Where;
  readonly #plan: Plan;
  readonly #tell: (outcome: Outcome) => void;
  readonly #check: ContentCheck;
  readonly #startedMs = performance.now();
  #firstMs: number | undefined = undefined;
  #status = 0;
  #text = '';
  #isDone = false;
  #error: string | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #over = false;

  constructor(where: Where, plan: Plan, tell: (outcome: Outcome) => void) {
    this.#where = where;
    this.#plan = plan;
    this.#tell = tell;
    this.#check = new ContentCheck(plan.wish.request);
  }

  send(): void {
    const { kind, leaves } = this.#plan;
    const path = kind === 'embeddings' ? '/v1/embeddings' : '/v1/chat/completions';
    const body = JSON.stringify(bodyOf(this.#plan));
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ host: '127.0.0.1', method: 'POST', path, headers, ...this.#where });
    sent.on('response', (response) => this.#read(sent, response));
    sent.on('error', (error) => this.#end('wrong', `no answer: ${error.message}`));
    sent.setTimeout(patienceMs, () => {
      this.#end('wrong', `nothing came for ${patienceMs} ms`);
      sent.destroy();
    });
    if (leaves !== undefined && 'afterMs' in leaves) this.#timer = setTimeout(() => this.#leave(sent), leaves.afterMs);
    sent.end(body);
  }

  #read(sent: ClientRequest, response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    this.#status = status;
    const isStream = status === 200 && this.#plan.kind === 'stream';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.#firstMs ??= performance.now() - this.#startedMs;
      this.#text += text;
      if (isStream) this.#readEvents();
      const { leaves } = this.#plan;
      if (leaves !== undefined && 'afterPieces' in leaves && this.#check.pieces >= leaves.afterPieces)
        this.#leave(sent);
    });
    response.on('end', () => this.#judgeEnd(isStream));
    response.on('error', () => this.#judgeBreak(isStream));
    response.on('close', () => this.#end('wrong', 'closed without an end'));
  }

  #readEvents(): void {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end === -1) return;
      const data = this.#text.slice(0, end).replace(/^data: /, '');
      this.#text = this.#text.slice(end + 2);
      if (this.#error !== undefined || this.#isDone) return this.#end('wrong', 'an event behind the last one');
      if (data === '[DONE]') this.#isDone = true;
      else this.#readEvent(data);
    }
  }

  #readEvent(data: string): void {
    const { error, choices } = parsed(data);
    if (error !== undefined) this.#error = error.type;
    else this.#check.take(choices?.[0]?.delta?.content ?? '');
  }

  #judgeEnd(isStream: boolean): void {
    if (this.#status !== 200) return this.#end('refused', parsed(this.#text).error?.type ?? 'unreadable');
    if (isStream) {
      const isWhole = this.#isDone && this.#check.whole && this.#text === '';
      return this.#end(isWhole ? 'whole' : 'wrong', isWhole ? '' : `a clean end that is none (${this.#error})`);
    }
    const answer = parsed(this.#text);
    if (this.#plan.kind === 'embeddings') {
      const isWhole = answer.data?.length === this.#plan.wish.pieces;
      return this.#end(isWhole ? 'whole' : 'wrong', isWhole ? '' : 'not as many vectors as inputs');
    }
    this.#check.take(answer.choices?.[0]?.message?.content ?? '');
    this.#end(this.#check.whole ? 'whole' : 'wrong', this.#check.whole ? '' : 'a part of an answer');
  }

  #judgeBreak(isStream: boolean): void {
    if (this.#status !== 200) return this.#end('wrong', `a ${this.#status} that broke off`);
    if (!isStream) return this.#end('wrong', 'a plain answer that broke off');
    if (this.#isDone) return this.#end('wrong', 'broke off behind [DONE]');
    this.#end(this.#error === undefined ? 'wrong' : 'broken', this.#error ?? 'broke off without a word');
  }

  #leave(sent: ClientRequest): void {
    this.#end('left', '');
    sent.destroy();
  }

  #end(ending: Ending, detail: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    const { problem, pieces, backend } = this.#check;
    this.#tell({
      plan: this.#plan,
      ending: problem === undefined ? ending : 'wrong',
      startedMs: this.#startedMs,
      endedMs: performance.now(),
      firstMs: this.#firstMs,
      status: this.#status,
      pieces,
      backend,
      detail: problem ?? detail,
    });
  }
}

function bodyOf({ kind, wish }: Plan): object {
  const common = { model: 'test-model', metadata: wish };
  if (kind === 'embeddings') return { ...common, input: Array.from({ length: wish.pieces }, (_, n) => `text ${n}`) };
  return { ...common, messages: [{ role: 'user', content: 'count' }], stream: kind === 'stream' };
}

interface Said {
  readonly error?: { readonly type: string };
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string };
    readonly message?: { readonly content?: string };
  }[];
  readonly data?: readonly unknown[];
}

/** What our own engines and router say; anything else shows as a failure. */
function parsed(text: string): Said {
  try {
    const value: Said = JSON.parse(text);
    return value;
  } catch {
    return { error: { type: 'unreadable' } };
  }
}
