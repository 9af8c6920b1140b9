// `switchyard status`: the fleet of a running router, once, or again and again.
import { Command } from 'commander';
import { addAdminOptions, type AdminOptions } from './admin-address.ts';
import { type Admin, openAdmin, refused, tell } from './admin-client.ts';
import { painter } from './colours.ts';
import { askFleet } from './fleet-answer.ts';
import { below } from './help-text.ts';
import { print, printLines } from './print.ts';
import { isDegraded, statusLines } from './status-table.ts';
import { watchStatus } from './watch-status.ts';

interface StatusOptions extends AdminOptions {
  readonly watch?: true;
  readonly json?: true;
}

export function statusCommand(): Command {
  return addAdminOptions(
    new Command('status')
      .description('show the fleet of a running router')
      .option('--watch', 'show it again every 2 s, until it is interrupted')
      .option('--json', 'print what the router tells (GET /fleet)'),
  )
    .addHelpText(
      'after',
      below({
        examples: ['switchyard status', 'switchyard status --watch', 'switchyard status --json | jq .backends'],
        exitCodes: {
          0: 'all is well',
          1: 'degraded: something needs a look, or a backend that should be up is not',
          5: 'the router could not be reached',
        },
      }),
    )
    .action(async (options: StatusOptions) => {
      const admin = openAdmin(options, process.env);
      if ('problem' in admin) process.exitCode = tell(admin);
      else if (options.watch) await watchStatus(admin, { isJson: options.json === true });
      else process.exitCode = await showStatus(admin, options);
    });
}

async function showStatus(admin: Admin, { json }: StatusOptions): Promise<number> {
  const fleet = await askFleet(admin);
  if ('problem' in fleet) return tell(fleet);
  const { answer, report } = fleet;
  if (json) print(answer.text);
  else if (report) printLines(statusLines(report, Date.parse(report.now), painter(process.stdout)));
  return report && isDegraded(report) ? refused : 0;
}
