// What the placements of several workers write to each other goes through the main thread, which reads of it only who has died.
import { encodeLetter } from '../../selection/placement/letters.ts';
import { randomName } from '../open-correspondence.ts';

export interface LettersParts {
  /** 8 hexadecimal digits: of this process among those of other routers. */
  readonly process: string;
  /** To all workers but one. */
  readonly tellAll: (letter: Uint8Array, except: number) => void;
  /** To other routers, where there are any. */
  readonly publish: (letter: Uint8Array) => void;
}

export class LettersOfWorkers {
  readonly #parts: LettersParts;
  readonly #ids = new Map<number, string>();

  constructor(parts: LettersParts) {
    this.#parts = parts;
  }

  /** A worker starts, and writes under this name. */
  nameFor(worker: number): string {
    const id = this.#parts.process + randomName();
    this.#ids.set(worker, id);
    return id;
  }

  heard(worker: number, letter: Uint8Array): void {
    this.#parts.tellAll(letter, worker);
    this.#parts.publish(letter);
  }

  /** Says farewell for it. */
  died(worker: number): void {
    const sender = this.#ids.get(worker);
    if (sender !== undefined) this.heard(worker, encodeLetter({ kind: 'farewell', sender }));
  }
}
