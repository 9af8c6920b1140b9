// `switchyard check`: is this fleet file valid? Reads it and the secrets it names, and asks no backend.
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type Format, formats, printProblems } from '../config/diagnostics.ts';
import { loadFleet } from '../config/load.ts';
import { below } from './help-text.ts';

interface CheckOptions {
  readonly format: Format;
  readonly strict?: true;
}

export function checkCommand(): Command {
  return new Command('check')
    .description('say whether a fleet file is valid, with every problem in it')
    .argument('[file]', 'the fleet file, or - for standard input; SWITCHYARD_CONFIG or fleet.yaml when left out')
    .addOption(new Option('--format <format>', 'how problems are printed').choices(formats).default('text'))
    .option('--strict', 'exit with 1 when there are warnings')
    .addHelpText(
      'after',
      below({
        examples: ['switchyard check fleet.yaml', 'switchyard check --strict --format github fleet.yaml'],
        exitCodes: { 0: 'valid', 1: 'warnings with --strict', 2: 'errors' },
      }),
    )
    .action((file: string | undefined, options: CheckOptions) => {
      process.exitCode = check(file ?? (process.env['SWITCHYARD_CONFIG'] || 'fleet.yaml'), options);
    });
}

function check(file: string, { format, strict }: CheckOptions): number {
  const isInput = file === '-';
  const path = isInput ? '<stdin>' : file;
  const loaded = loadFleet({ path, env: process.env, ...(isInput ? { text: readFileSync(0, 'utf8') } : {}) });
  const isValid = 'fleet' in loaded;
  const problems = isValid ? loaded.warnings : loaded.problems;
  if (format === 'json')
    process.stdout.write(`${JSON.stringify({ file: path, valid: isValid, problems }, undefined, 2)}\n`);
  else if (problems.length > 0) process.stderr.write(`${printProblems(problems, format)}\n`);
  if (!isValid) return 2;
  if (format !== 'json') {
    const { backends, models } = loaded.fleet;
    const parts = [
      counted(backends.length, 'backend'),
      `${counted(models.size, 'model')} named`,
      counted(problems.length, 'warning'),
    ];
    process.stdout.write(`${path}: valid: ${parts.join(', ')}\n`);
  }
  return strict && problems.length > 0 ? 1 : 0;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
