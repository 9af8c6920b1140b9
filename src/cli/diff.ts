// `switchyard diff`: what a reload of a running router would change now. Changes nothing.
import { Command } from 'commander';
import { objectOf, stringsIn, textOf } from '../wire/json-value.ts';
import { addAdminOptions, type AdminOptions } from './admin-address.ts';
import { openAdmin, tell, unreachable } from './admin-client.ts';
import { below } from './help-text.ts';
import { print, say } from './print.ts';

interface DiffOptions extends AdminOptions {
  readonly json?: true;
}

const codes = { same: 0, differs: 1, invalid: 2 } as const;
const unprocessable = 422;

export function diffCommand(): Command {
  return addAdminOptions(
    new Command('diff')
      .description('say what a reload would change: the fleet file of a running router against what it runs')
      .option('--json', 'print what the router tells (GET /diff)'),
  )
    .addHelpText(
      'after',
      below({
        examples: ['switchyard diff', 'switchyard diff && echo nothing to reload'],
        exitCodes: { 0: 'same', 1: 'differs', 2: 'the file is not valid', 5: 'the router could not be reached' },
      }),
    )
    .action(async (options: DiffOptions) => {
      process.exitCode = await diff(options);
    });
}

async function diff(options: DiffOptions): Promise<number> {
  const admin = openAdmin(options, process.env);
  if ('problem' in admin) return tell(admin);
  const answer = await admin.get('/diff', { also: unprocessable });
  // A code of its own: 1 would mean that it differs.
  if ('problem' in answer) return tell({ ...answer, exitCode: unreachable });
  const outcome = objectOf(answer.json) ?? {};
  const result = (['same', 'differs', 'invalid'] as const).find((known) => known === outcome['result']);
  if (result === undefined) {
    return tell({ problem: `${admin.url}/diff tells no difference: is its version this one?`, exitCode: unreachable });
  }
  if (options.json) print(answer.text);
  else tellDifference(result, outcome);
  return codes[result];
}

function tellDifference(result: keyof typeof codes, outcome: Readonly<Record<string, unknown>>): void {
  const config = textOf(outcome['config']) ?? 'unknown';
  for (const line of stringsIn(outcome['problems'])) process.stderr.write(`${line}\n`);
  switch (result) {
    case 'same':
      return print(`same: the fleet file says what runs (sha ${config})`);
    case 'invalid':
      return say(`the fleet file is not valid, sha ${config} goes on running`);
    case 'differs': {
      print(`differs from sha ${config}: ${textOf(outcome['changes']) ?? 'in its text'}`);
      const restart = stringsIn(outcome['needs_restart']);
      if (restart.length > 0) print(`needs a restart: ${restart.join(', ')}`);
      return;
    }
    default:
      result satisfies never;
  }
}
