// What is remembered of each backend for people to look at: what it was asked, how fast it was, what it did last and what is
// wrong with it. By name, so that it stays when a backend gets another box, and goes with it.
import type { AttemptEnded } from '../../routing/ports.ts';
import { isFaultOfBackend } from './faults.ts';
import { FirstTokens } from './first-tokens.ts';
import { problemOfAttempt } from './problem-of-attempt.ts';
import type { BackendNotes } from './request-notes.ts';

export interface BackendRecord {
  attempts: number;
  failed: number;
  /** Of the last probe; undefined: nothing was wrong with it. */
  probeProblem: string | undefined;
  attemptProblem: Occurrence | undefined;
  /** When an attempt last said anything, good or bad. */
  saidAtMs: number;
  lastChange: Occurrence | undefined;
  readonly firstTokens: FirstTokens;
}

export interface Occurrence {
  readonly atMs: number;
  readonly what: string;
}

/** What an attempt says of its backend; without words: it went well. */
export type Saying = Occurrence | { readonly atMs: number; readonly what?: undefined };

/** A failed attempt that nothing has followed says little after so long. */
const fadesAfterMs = 300_000;

export class BackendRecords {
  readonly #records = new Map<string, BackendRecord>();

  of(backend: string): BackendRecord {
    const known = this.#records.get(backend);
    if (known !== undefined) return known;
    const record: BackendRecord = {
      attempts: 0,
      failed: 0,
      probeProblem: undefined,
      attemptProblem: undefined,
      saidAtMs: -Infinity,
      lastChange: undefined,
      firstTokens: new FirstTokens(),
    };
    this.#records.set(backend, record);
    return record;
  }

  attempted({ backend, error, firstTokenMs }: AttemptEnded, atMs: number): void {
    const record = this.of(backend);
    record.attempts++;
    if (firstTokenMs !== undefined) record.firstTokens.add(firstTokenMs, atMs);
    if (isFaultOfBackend(error)) {
      record.failed++;
      said(record, { atMs, what: problemOfAttempt(error) });
    } else if (error === undefined) {
      said(record, { atMs });
    }
  }

  /** What another thread has noted until now. */
  add(backend: string, { attempts, failed, firstTokensMs, problem }: BackendNotes, atMs: number): void {
    const record = this.of(backend);
    record.attempts += attempts;
    record.failed += failed;
    for (const ms of firstTokensMs) record.firstTokens.add(ms, atMs);
    if (problem !== undefined) said(record, problem);
  }

  /** `what`: in a few words, such as `up → down` or `drained`. */
  changed(backend: string, what: string, atMs: number): void {
    this.of(backend).lastChange = { atMs, what };
  }

  probed(backend: string, problem: string | undefined): void {
    this.of(backend).probeProblem = problem;
  }

  /** A probe says more than an attempt: it is newer, as a rule, and nobody's request is to blame. */
  problemOf(backend: string, nowMs: number): string | null {
    const { probeProblem, attemptProblem } = this.of(backend);
    if (probeProblem !== undefined) return probeProblem;
    return attemptProblem !== undefined && nowMs - attemptProblem.atMs < fadesAfterMs ? attemptProblem.what : null;
  }

  forget(backend: string): void {
    this.#records.delete(backend);
  }

  /** For tests. */
  get size(): number {
    return this.#records.size;
  }
}

/** Of several threads the news of an attempt may come after those of a later one. */
function said(record: BackendRecord, { atMs, what }: Saying): void {
  if (atMs < record.saidAtMs) return;
  record.saidAtMs = atMs;
  record.attemptProblem = what === undefined ? undefined : { atMs, what };
}
