// `switchyard fmt`: a fleet file in one layout, comments and meaning kept.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { printProblems } from '../config/diagnostics.ts';
import { formatFleetFile } from '../config/format.ts';
import { reason } from '../config/secrets.ts';
import { lineDiff } from './line-diff.ts';
import { below } from './help-text.ts';
import { print } from './print.ts';
import { replaceFile } from './replace-file.ts';

interface FmtOptions {
  readonly write?: true;
  readonly diff?: true;
}

const exitCodes = { same: 0, differs: 1, failed: 2 } as const;

export function fmtCommand(): Command {
  return new Command('fmt')
    .description('lay out a fleet file in one way; comments stay, and so does what it means')
    .argument('[file]', 'the fleet file, or - for standard input; SWITCHYARD_CONFIG or fleet.yaml when left out')
    .option('--write', 'write it back instead of printing it')
    .option('--diff', 'print what would change')
    .addHelpText(
      'after',
      below({
        examples: ['switchyard fmt --diff', 'switchyard fmt --write config/fleet.yaml'],
        exitCodes: {
          0: 'it is laid out so already, or now is with --write',
          1: 'it differs',
          2: 'it is not a fleet file that can be read',
        },
      }),
    )
    .action((file: string | undefined, options: FmtOptions) => {
      process.exitCode = fmt(file ?? (process.env['SWITCHYARD_CONFIG'] || 'fleet.yaml'), options);
    });
}

function fmt(file: string, { write, diff }: FmtOptions): number {
  const isInput = file === '-';
  const path = isInput ? '<stdin>' : file;
  if (isInput && write) return fail('--write needs a file, and - is standard input.');
  let text: string;
  try {
    text = readFileSync(isInput ? 0 : file, 'utf8');
  } catch (thrown) {
    return fail(`${path}: cannot read the fleet file: ${reason(thrown)}`);
  }
  const formatted = formatFleetFile(text, path);
  if ('problems' in formatted) {
    process.stderr.write(`${printProblems(formatted.problems, 'text')}\n`);
    return exitCodes.failed;
  }
  const isSame = formatted.text === text;
  if (diff) print(lineDiff(text, formatted.text));
  else if (!write) print(formatted.text);
  if (!write) return isSame ? exitCodes.same : exitCodes.differs;
  if (isSame) return exitCodes.same;
  try {
    replaceFile(file, formatted.text);
  } catch (thrown) {
    return fail(`${path}: cannot write it: ${reason(thrown)}`);
  }
  process.stderr.write(`${path}: laid out anew\n`);
  return exitCodes.same;
}

function fail(message: string): number {
  process.stderr.write(`switchyard: ${message}\n`);
  return exitCodes.failed;
}
