// What a measurement is. Most put load on a subject that serves; a few measure something by itself.
import type { Engine } from './load/engine-process.ts';
import type { Results } from './results.ts';
import type { Serving, Subject } from './subject.ts';

/** By key of a column; undefined: it can't be said of this subject. */
export type Figures = Readonly<Record<string, number | undefined>>;

export interface Column {
  readonly key: string;
  /** With its unit. */
  readonly title: string;
  readonly digits?: number;
  /** Shown as a multiple of what nginx has, too. */
  readonly toNginx?: true;
}

interface Named {
  readonly name: string;
  readonly about: string;
  readonly columns: readonly Column[];
  /** Once, however many rounds there are: it takes minutes. */
  readonly once?: true;
}

export interface LoadBench extends Named {
  /** Left out: those that are chosen, and one start of each serves all benches that leave it out. */
  readonly subjects?: readonly Subject[];
  /** Left out: two addresses, and 50 events a second. */
  readonly engine?: EngineWishes;
  /** Left out: the proxy has a core of its own where there are several. */
  readonly unpinned?: true;
  measure(standing: Standing): Promise<Figures>;
}

export interface EngineWishes {
  /** Events a second of each stream. */
  readonly rate: number;
  /** Of a stream, until it ends. */
  readonly events: number;
  /** Addresses it can be had at, each another loopback address. */
  readonly hosts: number;
}

/** A subject that serves, and what is known about this run. */
export interface Standing {
  readonly subject: Subject;
  readonly serving: Serving;
  readonly engine: Engine;
  /** Empty but for what the subject itself has put there. */
  readonly dir: string;
  /** From its start to its first answer. */
  readonly readyMs: number;
  /** How long a measurement goes on. */
  readonly seconds: number;
  readonly results: Results;
}

/** Brings what it measures itself, and gives a row for each. */
export interface OwnBench extends Named {
  run(how: { readonly seconds: number; readonly dir: string }): Promise<readonly (readonly [label: string, Figures])[]>;
}

export type Bench = LoadBench | OwnBench;
