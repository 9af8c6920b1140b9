// What engines of a soak send and callers check: numbered pieces that name the answer they belong to, and as the last one
// what the engine says that it has sent.
import { createHash } from 'node:crypto';

/** `answer`: a name that no other answer has, of whatever request and backend. Each piece ends with a blank. */
export function piecesOf(answer: string, count: number): readonly string[] {
  const pieces = Array.from({ length: count }, (_, at) => `${answer}/t${at + 1} `);
  return [...pieces, `#${createHash('sha256').update(pieces.join('')).digest('hex')} `];
}

/** Takes an answer piece by piece. */
export class ContentCheck {
  readonly #request: string;
  readonly #digest = createHash('sha256');
  #answer: string | undefined = undefined;
  #next = 1;
  /** The engine's last word has come, and it is true. */
  whole = false;
  /** The first thing that was not as it must be. */
  problem: string | undefined = undefined;

  constructor(request: string) {
    this.#request = request;
  }

  /** The backend that sent it; undefined before the first piece. */
  get backend(): string | undefined {
    return this.#answer?.split(':')[1];
  }

  get pieces(): number {
    return this.#next - 1;
  }

  take(text: string): void {
    for (const piece of text.split(' ')) if (piece !== '') this.#takeOne(piece);
  }

  #takeOne(piece: string): void {
    if (this.whole) return this.#wrong(`${piece} behind the end`);
    if (piece.startsWith('#')) {
      this.whole = piece.slice(1) === this.#digest.digest('hex');
      if (!this.whole) this.#wrong('not what the engine says it sent');
      return;
    }
    const [answer = '', number] = piece.split('/t');
    this.#answer ??= answer;
    if (!answer.startsWith(`${this.#request}:`)) this.#wrong(`${piece} of another request`);
    else if (answer !== this.#answer) this.#wrong(`${piece} within ${this.#answer}`);
    else if (Number(number) !== this.#next) this.#wrong(`${piece} in place of ${this.#next}`);
    this.#next++;
    this.#digest.update(`${piece} `);
  }

  #wrong(problem: string): void {
    this.problem ??= problem;
  }
}

/** The name of an answer: request, backend, and the how-manieth of that backend. */
export function answerName(request: string, backend: string, n: number): string {
  return `${request}:${backend}:${n}`;
}
