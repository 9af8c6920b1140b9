// Notices that a fleet file has changed, however it was changed. Watching the file itself would lose every change after the
// first save-by-rename or ConfigMap swap, so the directory gives the hint and reading the file gives the truth: whatever is
// missed, unreadable or half-written now is seen the next time.
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../clock.ts';
import type { FleetFile } from './fleet-file.ts';

export interface WatchParts {
  readonly file: FleetFile;
  readonly clock: Clock;
  /** Loads the file. */
  readonly reload: () => Promise<unknown>;
  /** Whether what was loaded last, by whomever, should be tried again in a while as it is. */
  readonly mayPass: () => boolean;
}

const pollMs = 2_000;
/** For so long it must stay the same: who writes it may not be done. */
const debounceMs = 250;
/** A file that never rests is read after so many looks all the same. */
const mostLooks = 8;
const againMs = 15_000;

/** The function returned ends it. */
export function watchFleetFile(parts: WatchParts): () => void {
  const watching = new Watching(parts);
  watching.start();
  return () => watching.stop();
}

class Watching {
  readonly #parts: WatchParts;
  #hints: FSWatcher | undefined = undefined;
  #cancelPoll = () => {};
  #cancelLook = () => {};
  /** A change that was seen and must still come to rest. */
  #changing: { readonly content: string; readonly looks: number } | undefined = undefined;
  #isReloading = false;
  #againAtMs = Infinity;
  #stopped = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#openHints();
    this.#poll();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPoll();
    this.#cancelLook();
    this.#closeHints();
  }

  #poll(): void {
    this.#cancelPoll = this.#parts.clock.after(pollMs, () => {
      this.#poll();
      if (this.#hints === undefined) this.#openHints();
      if (!this.#parts.mayPass()) this.#againAtMs = Infinity;
      else if (this.#againAtMs === Infinity) this.#againAtMs = this.#parts.clock.now() + againMs;
      if (this.#parts.clock.now() >= this.#againAtMs) this.#reload();
      else this.#look();
    });
  }

  /** Without them, such as where the directory is gone or the system has no more watches to give, the poll is left. */
  #openHints(): void {
    const { path } = this.#parts.file;
    const file = basename(path);
    try {
      this.#hints = watch(dirname(path), (_event, name) => {
        // `..data` is what a ConfigMap's directory swaps.
        if (name === null || name === file || name.startsWith('..')) this.#look();
      });
      this.#hints.on('error', () => this.#closeHints());
    } catch {
      this.#hints = undefined;
    }
  }

  #closeHints(): void {
    this.#hints?.close();
    this.#hints = undefined;
  }

  #look(): void {
    if (this.#stopped || this.#isReloading || this.#changing !== undefined) return;
    const content = this.#parts.file.now();
    if (content !== this.#parts.file.seen()) this.#wait(content, 1);
  }

  #wait(content: string, looks: number): void {
    this.#changing = { content, looks };
    this.#cancelLook = this.#parts.clock.after(debounceMs, () => {
      this.#changing = undefined;
      const now = this.#parts.file.now();
      if (now !== content && looks < mostLooks) this.#wait(now, looks + 1);
      // It may have gone back to what it was.
      else if (now !== this.#parts.file.seen()) this.#reload();
    });
  }

  #reload(): void {
    this.#isReloading = true;
    this.#againAtMs = Infinity;
    const ended = () => {
      this.#isReloading = false;
      this.#look();
    };
    this.#parts.reload().then(ended, ended);
  }
}
