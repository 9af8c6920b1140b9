// Rounds: subjects take turns (A B A B), so that a noisy minute falls on all of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, Figures, LoadBench, OwnBench } from './bench.ts';
import { chatBody } from './load/content.ts';
import { type Engine, startEngine, usual } from './load/engine-process.ts';
import type { BenchOptions } from './options.ts';
import { cores } from './processes.ts';
import type { Unavailable } from './report.ts';
import { Results } from './results.ts';
import { freePort } from '../support/redis/free-port.ts';
import { type Subject, untilServing } from './subject.ts';

const body = chatBody({ bytes: 600 });
/** Some peers load half of PyPI before they listen. */
const startWithinMs = 120_000;

export class Run {
  readonly results = new Results();
  readonly unavailable: Unavailable[] = [];
  readonly #options: BenchOptions;
  readonly #base = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));

  constructor(options: BenchOptions) {
    this.#options = options;
    // However it ends.
    process.once('exit', () => rmSync(this.#base, { recursive: true, force: true }));
  }

  async all(): Promise<void> {
    const { benches, subjects } = this.#options;
    try {
      const sideBySide = benches.flatMap((bench) => ('run' in bench || bench.subjects ? [] : [bench]));
      if (sideBySide.length > 0) await this.#rounds(sideBySide, await this.#installed(subjects));
      for (const bench of benches) {
        if ('run' in bench) await this.#own(bench);
        else if (bench.subjects) await this.#rounds([bench], await this.#installed(bench.subjects));
      }
    } finally {
      rmSync(this.#base, { recursive: true, force: true });
    }
  }

  /** The same subjects for all of these, each started once a round. */
  async #rounds(benches: readonly LoadBench[], subjects: readonly Subject[]): Promise<void> {
    const [first] = benches;
    const engine = await startEngine(first?.engine ?? usual);
    const gone = new Set<Subject>();
    for (let round = 1; round <= this.#roundsOf(first); round++) {
      for (const subject of subjects) {
        if (gone.has(subject)) continue;
        await this.#once(subject, { benches, engine, round }).catch((cause: unknown) => {
          gone.add(subject);
          this.#giveUp(subject, cause);
        });
      }
    }
    await engine.stop();
  }

  async #once(
    subject: Subject,
    {
      benches,
      engine,
      round,
    }: { readonly benches: readonly LoadBench[]; readonly engine: Engine; readonly round: number },
  ): Promise<void> {
    const dir = this.#folder();
    const isUnpinned = benches.some(({ unpinned }) => unpinned);
    const place = { engines: engine.urls, port: await freePort(), dir, cores: isUnpinned ? undefined : cores.proxy };
    const startedAt = performance.now();
    const serving = await subject.start(place);
    try {
      await untilServing(serving, { body, withinMs: startWithinMs });
      const readyMs = performance.now() - startedAt;
      for (const bench of benches) {
        const { seconds } = this.#options;
        const standing = { subject, serving, engine, dir, readyMs, seconds, results: this.results };
        this.#add(bench, { label: subject.name, round, figures: await bench.measure(standing) });
      }
    } finally {
      await serving.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  }

  async #own(bench: OwnBench): Promise<void> {
    for (let round = 1; round <= this.#roundsOf(bench); round++) {
      try {
        const rows = await bench.run({ seconds: this.#options.seconds, dir: this.#folder() });
        for (const [label, figures] of rows) this.#add(bench, { label, round, figures });
      } catch (cause) {
        this.#giveUp(bench, cause);
        return;
      }
    }
  }

  #roundsOf(bench: Bench | undefined): number {
    return bench?.once ? 1 : this.#options.rounds;
  }

  async #installed(subjects: readonly Subject[]): Promise<readonly Subject[]> {
    const ready: Subject[] = [];
    for (const subject of subjects) {
      try {
        await subject.install?.();
        ready.push(subject);
      } catch (cause) {
        this.#giveUp(subject, cause);
      }
    }
    return ready;
  }

  #giveUp({ name }: { readonly name: string }, cause: unknown): void {
    const words = cause instanceof Error ? cause.message : String(cause);
    const why = words.replaceAll(/\s+/g, ' ').trim().slice(-400);
    if (!this.unavailable.some((known) => known.name === name)) this.unavailable.push({ name, why });
    process.stdout.write(`${name}: ${why}\n`);
  }

  #add(
    { name }: Bench,
    { label, round, figures }: { readonly label: string; readonly round: number; readonly figures: Figures },
  ): void {
    this.results.add(name, label, figures);
    const shown = Object.entries(figures).map(
      ([key, value]) => `${key} ${value === undefined ? '–' : Math.round(value * 1000) / 1000}`,
    );
    process.stdout.write(`${name.padEnd(12)} ${String(round).padStart(2)}  ${label.padEnd(26)} ${shown.join('  ')}\n`);
  }

  #folder(): string {
    return mkdtempSync(join(this.#base, 'subject-'));
  }
}
