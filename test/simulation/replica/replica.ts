// One inference server with continuous batching: requests are admitted first come, first served while there is memory, every
// step gives each decoding sequence a token and spends the rest of its budget on prompts in order of admission.
import type { VirtualTime } from '../virtual-time.ts';
import type { Hold, Memory, Wanted } from './memory.ts';
import { PagedMemory } from './paged-memory.ts';
import { type Profile, stepSeconds } from './profiles.ts';
import { SlotMemory } from './slot-memory.ts';

export interface Job extends Wanted {
  /** At the end of the step that finishes the prompt. */
  firstToken(cachedTokens: number): void;
  /** Another 64 tokens are written. */
  grew(): void;
  /** At the end of the step of its last token. */
  finished(): void;
  /** The replica has died with it. */
  lost(): void;
}

interface Sequence {
  readonly job: Job;
  readonly hold: Hold;
  /** Tokens computed so far, found ones included. */
  computed: number;
  /** Tokens to compute before it decodes: the prompt, and after a preemption what it had generated. */
  readonly target: number;
  generated: number;
  /** Of the step under way. */
  chunk: number;
}

interface Waiting {
  readonly job: Job;
  readonly generated: number;
}

const toldTokens = 64;

export interface ReplicaParts {
  readonly profile: Profile;
  readonly time: VirtualTime;
  /** 1: as the profile says. */
  readonly speed: number;
  readonly pageTokens: number;
}

export class Replica {
  readonly #parts: ReplicaParts;
  readonly memory: Memory;
  #waiting: Waiting[] = [];
  /** In order of admission. */
  #running: Sequence[] = [];
  #stepping = false;
  /** Nothing has been released since the first in line was refused. */
  #refused = false;
  #life = 0;
  busyS = 0;
  preemptions = 0;

  constructor(parts: ReplicaParts) {
    this.#parts = parts;
    this.memory = memoryOf(parts);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running.length;
  }

  submit(job: Job): void {
    if (!this.memory.fits(job))
      throw new Error(`${job.input} + ${job.output} tokens do not fit a replica of ${this.#parts.profile.name}`);
    this.#waiting.push({ job, generated: 0 });
    if (!this.#stepping) this.#step();
  }

  /** Loses what runs and waits, and all that it had cached. */
  die(): void {
    const lost = [...this.#running.map(({ job }) => job), ...this.#waiting.map(({ job }) => job)];
    this.#life++;
    for (const { hold } of this.#running) hold.release();
    this.memory.clear();
    this.#running = [];
    this.#waiting = [];
    this.#stepping = false;
    this.#refused = false;
    for (const job of lost) job.lost();
  }

  #step(): void {
    this.#makeRoom();
    this.#admit();
    const { profile, speed, time } = this.#parts;
    let decoding = 0;
    let decodeContext = 0;
    for (const sequence of this.#running) {
      if (sequence.computed < sequence.target) continue;
      decoding++;
      decodeContext += sequence.job.input + sequence.generated;
    }
    let left = Math.max(0, profile.budgetTokens - decoding);
    let prefill = 0;
    let chunkContext = 0;
    for (const sequence of this.#running) {
      const chunk = Math.min(left, sequence.target - sequence.computed);
      sequence.chunk = chunk;
      if (chunk === 0) continue;
      left -= chunk;
      prefill += chunk;
      chunkContext += chunk * (sequence.computed + chunk / 2);
    }
    if (decoding + prefill === 0) return;
    const seconds = stepSeconds(profile, { prefill, decoding, chunkContext, decodeContext }, speed);
    const life = this.#life;
    this.#stepping = true;
    this.busyS += seconds;
    time.at(time.now() + seconds * 1000, () => {
      if (life === this.#life) this.#endStep();
    });
  }

  #endStep(): void {
    this.#stepping = false;
    const ended: Sequence[] = [];
    for (const sequence of this.#running) {
      if (sequence.chunk > 0) {
        sequence.computed += sequence.chunk;
        sequence.hold.computed(sequence.computed);
        this.#refused = false;
        if (sequence.computed < sequence.target) continue;
        if (sequence.generated === 0) sequence.job.firstToken(sequence.hold.cachedTokens);
        sequence.generated++;
      } else if (sequence.computed >= sequence.target) {
        sequence.generated++;
        if (sequence.generated % toldTokens === 0) sequence.job.grew();
      }
      if (sequence.generated >= sequence.job.output && sequence.computed >= sequence.target) ended.push(sequence);
    }
    for (const sequence of ended) this.#leave(sequence);
    for (const { job } of ended) job.finished();
    if (!this.#stepping) this.#step();
  }

  /** Every decoding sequence needs room for its token; the youngest goes when there is none. */
  #makeRoom(): void {
    for (let place = 0; place < this.#running.length; place++) {
      const sequence = this.#running[place];
      if (sequence === undefined || sequence.computed < sequence.target) continue;
      while (!sequence.hold.grow(sequence.job.input + sequence.generated)) {
        const youngest: Sequence = this.#running.at(-1) ?? sequence;
        this.#leave(youngest);
        this.#waiting.unshift({ job: youngest.job, generated: youngest.generated });
        this.preemptions++;
        if (youngest === sequence) return;
      }
    }
  }

  #admit(): void {
    while (this.#running.length < this.#parts.profile.maxSequences && !this.#refused) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const { job, generated } = first;
      const hold = this.memory.take(job, generated);
      if (hold === undefined) {
        this.#refused = true;
        return;
      }
      this.#waiting.shift();
      const target = job.input + generated;
      this.#running.push({ job, hold, computed: hold.cachedTokens, target, generated, chunk: 0 });
    }
  }

  #leave(sequence: Sequence): void {
    this.#running.splice(this.#running.indexOf(sequence), 1);
    sequence.hold.release();
    this.#refused = false;
  }
}

function memoryOf({ profile, pageTokens }: ReplicaParts): Memory {
  const { kvTokens, slots } = profile;
  if (slots === undefined) return new PagedMemory({ kvTokens, pageTokens });
  return new SlotMemory({ kvTokens, slots, blockTokens: pageTokens });
}
