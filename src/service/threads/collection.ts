// The reports of all workers: asked for when somebody wants to know, and kept for when one does not answer, or has died.
import type { Clock } from '../../clock.ts';
import { DepartedCounts, type ReportedMetrics } from '../../metrics/merge.ts';

/** A worker that is busy for so long is told with what it last said. */
const patienceMs = 1_000;

export class Collection {
  readonly departed = new DepartedCounts();
  readonly #clock: Clock;
  readonly #ask: (question: number) => readonly number[];
  readonly #latest = new Map<number, ReportedMetrics>();
  /** Question → who has not answered it, and what is done when all have. */
  readonly #open = new Map<number, { readonly missing: Set<number>; readonly done: () => void }>();
  #nextQuestion = 1;

  /** `ask`: asks everybody; returns whom. */
  constructor(clock: Clock, ask: (question: number) => readonly number[]) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** What has been counted by now, also by workers that are no more. */
  async collect(): Promise<readonly ReportedMetrics[]> {
    const question = this.#nextQuestion++;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const missing = new Set(this.#ask(question));
    if (missing.size > 0) {
      this.#open.set(question, { missing, done });
      const cancel = this.#clock.after(patienceMs, done);
      await promise;
      cancel();
      this.#open.delete(question);
    }
    return [...this.departed.reports, ...this.#latest.values()];
  }

  heard(worker: number, question: number | undefined, metrics: ReportedMetrics): void {
    this.#latest.set(worker, metrics);
    if (question !== undefined) this.#answered(worker, question);
  }

  /** What it had counted since its last report is lost. */
  died(worker: number): void {
    const last = this.#latest.get(worker);
    this.#latest.delete(worker);
    if (last !== undefined) this.departed.add(last);
    for (const question of this.#open.keys()) this.#answered(worker, question);
  }

  #answered(worker: number, question: number): void {
    const open = this.#open.get(question);
    open?.missing.delete(worker);
    if (open?.missing.size === 0) open.done();
  }
}
