// `switchyard check`: is this fleet file valid? Reads it and the secrets it names, and asks no backend unless told to.
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type Format, formats, printProblems } from '../config/diagnostics.ts';
import { loadFleet } from '../config/load.ts';
import { printEffective } from '../config/print-effective.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { examineFleet } from './examine-fleet.ts';
import { findingsOf, probeSummary, probeTable, type Shown, shownAsJson } from './probe-report.ts';
import { below } from './help-text.ts';
import { print } from './print.ts';

interface CheckOptions {
  readonly format: Format;
  readonly strict?: true;
  readonly probe?: true;
  readonly print?: true;
}

export function checkCommand(): Command {
  return new Command('check')
    .description('say whether a fleet file is valid, with every problem in it')
    .argument('[file]', 'the fleet file, or - for standard input; SWITCHYARD_CONFIG or fleet.yaml when left out')
    .addOption(new Option('--format <format>', 'how problems are printed').choices(formats).default('text'))
    .option('--strict', 'exit with 1 when there are warnings')
    .option('--print', 'print what is in force, without secrets, and where each value comes from')
    .option('--probe', 'ask the backends too, as switchyard probe does')
    .addHelpText(
      'after',
      below({
        examples: [
          'switchyard check fleet.yaml',
          'switchyard check --strict --format github fleet.yaml',
          'switchyard check --probe',
          'switchyard check --print',
        ],
        exitCodes: { 0: 'valid', 1: 'warnings with --strict, or a backend that is no good with --probe', 2: 'errors' },
      }),
    )
    .action(async (file: string | undefined, options: CheckOptions) => {
      process.exitCode = await check(file ?? (process.env['SWITCHYARD_CONFIG'] || 'fleet.yaml'), options);
    });
}

async function check(file: string, { format, strict, probe, print: isPrinted }: CheckOptions): Promise<number> {
  const isInput = file === '-';
  const path = isInput ? '<stdin>' : file;
  const input = isInput ? readFileSync(0, 'utf8') : undefined;
  const loaded = loadFleet({ path, env: process.env, ...(input === undefined ? {} : { text: input }) });
  const isValid = 'fleet' in loaded;
  const problems = isValid ? loaded.warnings : loaded.problems;
  const shown = isValid && probe && !isPrinted ? await probed(loaded.fleet, path) : undefined;
  if (format === 'json' && !isPrinted) {
    const found = shown === undefined ? {} : { backends: shownAsJson(shown) };
    print(`${JSON.stringify({ file: path, valid: isValid, problems, ...found }, undefined, 2)}\n`);
  } else if (problems.length > 0) process.stderr.write(`${printProblems(problems, format)}\n`);
  if (!isValid) return 2;
  if (isPrinted) print(effective(loaded.fleet, path, input));
  else if (format !== 'json') {
    const { backends, groups, models } = loaded.fleet;
    const parts = [
      counted(backends.length, 'backend'),
      ...(groups.length === 0 ? [] : [`${counted(groups.length, 'group')} to be discovered`]),
      // Those below `models`; what backends serve is found out later, so that none says nothing.
      ...(models.size === 0 ? [] : [`${counted(models.size, 'model')} named`]),
      counted(problems.length, 'warning'),
    ];
    print(`${path}: valid: ${parts.join(', ')}\n`);
    if (shown !== undefined) {
      print(`\n${probeTable(shown)}`);
      process.stderr.write(`\n${probeSummary(shown)}`);
    }
  }
  const isGood = shown === undefined || shown.every(({ finding }) => finding.isGood);
  return isGood && !(strict && problems.length > 0) ? 0 : 1;
}

function effective(fleet: Fleet, path: string, input: string | undefined): string {
  return printEffective(fleet, { path, text: input ?? readFileSync(path, 'utf8'), env: process.env });
}

async function probed(fleet: Fleet, path: string): Promise<readonly Shown[]> {
  const { examined } = await examineFleet(fleet, { only: ({ state }) => state !== 'disabled' });
  const names = fleet.backends.map(({ name }) => name);
  return findingsOf(examined, names, path);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
