// `switchyard healthcheck`: does the router on this machine live? For containers, whose image has no other client.
import { Command } from 'commander';
import { parseListen } from '../config/addresses.ts';
import { readAdminOfFile } from '../config/admin-of-file.ts';
import { serverDefaults } from '../config/defaults.ts';
import { addAdminOptions, adminAddress, type AdminOptions, chosenFile, reachable, urlOf } from './admin-address.ts';
import { refused, tell } from './admin-client.ts';
import { below } from './help-text.ts';
import { lives } from './lives.ts';

const timeoutMs = 2_000;

export function healthcheckCommand(): Command {
  return addAdminOptions(
    new Command('healthcheck').description('say by the exit code whether the router on this machine lives'),
  )
    .addHelpText(
      'after',
      below({
        examples: ['switchyard healthcheck', 'switchyard healthcheck --admin http://127.0.0.1:9091'],
        exitCodes: { 0: 'it lives', 1: 'it does not answer' },
      }),
    )
    .action(async (options: AdminOptions) => {
      process.exitCode = await healthcheck(options);
    });
}

/** The admin listener may be off, or have found its default address taken: then the port of the callers tells. */
async function healthcheck(options: AdminOptions): Promise<number> {
  const admin = adminAddress(options, process.env);
  const urls = [...('url' in admin ? [admin.url] : []), ...(options.admin === undefined ? [mainUrl(options)] : [])];
  for (const url of urls) if (await lives(url, { timeoutMs })) return 0;
  return tell({ problem: `No router lives at ${urls.join(' or ') || 'the address of --admin'}.`, exitCode: refused });
}

function mainUrl(options: AdminOptions): string {
  const file = readAdminOfFile(chosenFile(options, process.env).path, process.env);
  const { serverListen, serverTls } = 'problem' in file ? {} : file;
  const parsed = parseListen(process.env['SWITCHYARD_LISTEN'] ?? '');
  const listen = 'value' in parsed ? parsed.value : (serverListen ?? serverDefaults.listen);
  return urlOf(reachable(listen), serverTls);
}
