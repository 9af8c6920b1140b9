// `switchyard reload`: a running router reads its fleet file again; comes back with how that ended.
import { Command } from 'commander';
import { objectOf, stringsIn, textOf } from '../wire/json-value.ts';
import { addTokenOption, type AdminOptions } from './admin-address.ts';
import { openAdmin, refused, tell, unreachable } from './admin-client.ts';
import { below } from './help-text.ts';
import { print, say } from './print.ts';

interface ReloadOptions extends AdminOptions {
  readonly allowEmpty?: true;
  readonly json?: true;
}

/** What joins is probed before it takes over. */
const timeoutMs = 120_000;
const invalid = 422;

export function reloadCommand(): Command {
  return addTokenOption(
    new Command('reload')
      .description('have a running router read its fleet file again')
      .option('--allow-empty', 'also when no model is served afterwards')
      .option('--json', 'print the answer as JSON'),
  )
    .addHelpText(
      'after',
      below({
        examples: ['switchyard reload', 'switchyard reload --token-file /run/secrets/admin.token'],
        exitCodes: { 0: 'applied, or nothing to apply', 1: 'refused', 5: 'the router could not be reached' },
      }),
    )
    .action(async (options: ReloadOptions) => {
      process.exitCode = await reload(options);
    });
}

async function reload(options: ReloadOptions): Promise<number> {
  const admin = openAdmin(options, process.env);
  if ('problem' in admin) return tell(admin);
  const answer = await admin.post(`/reload${options.allowEmpty ? '?allow_empty=true' : ''}`, {
    also: invalid,
    timeoutMs,
  });
  if ('problem' in answer) return tell(answer);
  const outcome = objectOf(answer.json) ?? {};
  const [result, config] = [textOf(outcome['result']), textOf(outcome['config']) ?? 'unknown'];
  if (options.json) print(answer.text);
  else
    for (const line of [...stringsIn(outcome['problems']), ...stringsIn(outcome['warnings'])])
      process.stderr.write(`${line}\n`);
  const restart = stringsIn(outcome['needs_restart']);
  if (restart.length > 0) say(`these stay as they were until the next start: ${restart.join(', ')}`);
  switch (result) {
    case 'applied':
      if (!options.json) print(`reload ok sha ${config}: ${textOf(outcome['changes']) ?? 'applied'}`);
      return 0;
    case 'unchanged':
      if (!options.json) print(`reload unchanged, sha ${config} runs already`);
      return 0;
    case 'refused':
      say(`reload refused, still running sha ${config}`);
      return refused;
    default:
      return tell({
        problem: `${admin.url} did not tell how it ended: is its version this one?`,
        exitCode: unreachable,
      });
  }
}
