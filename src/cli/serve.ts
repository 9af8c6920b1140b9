// `switchyard serve`: loads the fleet, runs the router, and stops it as signals say.
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { printProblems } from '../config/diagnostics.ts';
import { fleetFromUrls, type LoadedFleet, loadFleet, type RefusedFleet } from '../config/load.ts';
import { createLog } from '../log.ts';
import { type Service, startService } from '../service.ts';
import { reportListenFailure } from './listen-failure.ts';
import { overview } from './overview.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { version } from './version.ts';

interface ServeOptions {
  readonly config?: string;
  readonly listen?: string;
  readonly logLevel?: string;
  readonly backend?: readonly string[];
}

const exitCodes = { config: 2 } as const;
/** How long the first look at the fleet may delay the overview; requests are served meanwhile. */
const overviewWaitMs = 3_000;

export function serveCommand(): Command {
  return new Command('serve')
    .description('run the router')
    .option('-c, --config <file>', 'the fleet file (SWITCHYARD_CONFIG; default: fleet.yaml)')
    .option('--listen <host:port>', 'address to listen on (SWITCHYARD_LISTEN)')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent (SWITCHYARD_LOG_LEVEL)')
    .option('--backend <url...>', 'serve these backends without a fleet file (OPENAI_BASE_URL)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ switchyard serve -c fleet.yaml\n  $ switchyard serve --backend http://10.0.0.11:8000 --backend http://10.0.0.12:8000',
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const { source, loaded } = load(options);
  const problems = 'problems' in loaded ? loaded.problems : loaded.warnings;
  if (problems.length > 0) process.stderr.write(`${printProblems(problems, 'text').trimEnd()}\n`);
  if ('problems' in loaded) {
    process.exitCode = exitCodes.config;
    return;
  }
  const { fleet } = loaded;
  const log = createLog(fleet.logging, process.stderr.isTTY);
  let service: Service;
  try {
    service = await startService(fleet, { log, version: version() });
  } catch (cause) {
    const { host, port } = fleet.server.listen;
    reportListenFailure(cause, `${host}:${port}`, 'server.listen or --listen');
    return;
  }
  stopOnSignals(service, fleet.server, log);
  const wait = AbortSignal.timeout(overviewWaitMs);
  await Promise.race([
    service.discovered,
    new Promise<void>((resolve) => wait.addEventListener('abort', () => resolve())),
  ]);
  process.stdout.write(overview(fleet, service, { source, hash: loaded.hash, version: version() }));
}

function load({ config, listen, logLevel, backend }: ServeOptions): {
  source: string;
  loaded: LoadedFleet | RefusedFleet;
} {
  const { env } = process;
  const flags = { env, ...(listen === undefined ? {} : { listen }), ...(logLevel === undefined ? {} : { logLevel }) };
  if (backend !== undefined) return { source: '--backend', loaded: fleetFromUrls(backend, flags) };
  const path = config ?? (env.SWITCHYARD_CONFIG || undefined);
  const fallback = env.OPENAI_BASE_URL;
  if (path === undefined && fallback && !existsSync('fleet.yaml')) {
    return { source: 'OPENAI_BASE_URL', loaded: fleetFromUrls([fallback], flags) };
  }
  return { source: path ?? 'fleet.yaml', loaded: loadFleet({ ...flags, path: path ?? 'fleet.yaml' }) };
}
