// What is asked for on the command line.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { everyBench, quickBenches } from './benches/index.ts';
import { cache } from './folders.ts';
import type { Subject } from './subject.ts';
import { everySubject, quickSubjects } from './subjects/index.ts';

export interface BenchOptions {
  readonly benches: readonly Bench[];
  /** Of those that stand side by side. */
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly seconds: number;
  /** Without its ending: `.json` and `.md` are written. */
  readonly file: string;
}

/** @throws Error where there is no such thing. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      subjects: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      file: { type: 'string' },
    },
  });
  const { quick, only, subjects, rounds = quick ? '2' : '3', seconds = quick ? '2' : '5' } = values;
  return {
    benches: only === undefined ? (quick ? quickBenches : everyBench) : named(everyBench, only),
    subjects: subjects === undefined ? (quick ? quickSubjects : everySubject) : named(everySubject, subjects),
    rounds: positive('--rounds', rounds),
    seconds: positive('--seconds', seconds),
    file: values.file ?? join(cache, quick ? 'quick' : 'results'),
  };
}

/** In the order of the table. Names hold commas: what separates them has no space behind it. */
function named<T extends { readonly name: string }>(all: readonly T[], list: string): readonly T[] {
  const names = list.split(/,(?! )/);
  const unknown = names.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new Error(`no such thing: ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
  return all.filter(({ name }) => names.includes(name));
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${option} is a number above 0`);
  return number;
}
