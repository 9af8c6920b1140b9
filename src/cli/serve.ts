// `switchyard serve`: loads the fleet, runs the router, and stops it as signals say.
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { printProblems } from '../config/diagnostics.ts';
import { systemClock } from '../clock.ts';
import { createFleetFile, type FleetFile } from '../config/fleet-file.ts';
import { fleetFromUrls, type LoadedFleet, type RefusedFleet } from '../config/load.ts';
import { watchFleetFile } from '../config/watch.ts';
import type { Address } from '../fleet/fleet.ts';
import { createLog } from '../log.ts';
import type { Service } from '../service.ts';
import { below } from './help-text.ts';
import { reportListenFailure } from './listen-failure.ts';
import { printUnheeded } from './print.ts';
import { overview } from './overview.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { revision, version } from './version.ts';

interface ServeOptions {
  readonly config?: string;
  readonly listen?: string;
  readonly adminListen?: string;
  readonly logLevel?: string;
  readonly backend?: readonly string[];
  readonly watch?: boolean;
}

const exitCodes = { config: 2 } as const;
/** How long the first look at the fleet may delay the overview; requests are served meanwhile. */
const overviewWaitMs = 3_000;

export function serveCommand(): Command {
  return new Command('serve')
    .description('run the router')
    .option('-c, --config <file>', 'the fleet file (SWITCHYARD_CONFIG; default: fleet.yaml)')
    .option('--listen <host:port>', 'address to listen on (SWITCHYARD_LISTEN)')
    .option('--admin-listen <host:port>', 'address of the admin listener, or off (SWITCHYARD_ADMIN_LISTEN)')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent (SWITCHYARD_LOG_LEVEL)')
    .option('--backend <url...>', 'serve these backends without a fleet file (OPENAI_BASE_URL)')
    .option('--watch', 'apply the fleet file whenever it changes (default)')
    .option('--no-watch', 'apply it on SIGHUP and on POST /reload only')
    .addHelpText(
      'after',
      below({
        examples: [
          'switchyard serve -c fleet.yaml',
          'switchyard serve --backend http://10.0.0.11:8000 --backend http://10.0.0.12:8000',
        ],
        exitCodes: { 0: 'stopped', 1: 'failed', 2: 'bad configuration', 3: 'port in use' },
      }),
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const { source, load, file } = sourceOf(options);
  const peek = file === undefined ? load : () => file.peek();
  const loaded = load();
  const problems = 'problems' in loaded ? loaded.problems : loaded.warnings;
  if (problems.length > 0) process.stderr.write(`${printProblems(problems, 'text').trimEnd()}\n`);
  if ('problems' in loaded) {
    process.exitCode = exitCodes.config;
    return;
  }
  const { fleet, hash } = loaded;
  const log = createLog(fleet.logging, process.stderr.isTTY);
  let service: Service | undefined;
  // From the first moment on: what is not listened to would end the process.
  process.on('SIGHUP', () => void service?.reload('signal'));
  try {
    // Loaded here, so that the other verbs need not wait for it.
    const { startService } = await import('../service.ts');
    const about = { version: version(), revision: revision() ?? 'unknown', source, hash };
    service = await startService(fleet, { log, load, peek, ...about });
  } catch (cause) {
    await reportFailure(cause, fleet.server.listen);
    return;
  }
  const unwatch = watch(service, options.watch === false ? undefined : file);
  stopOnSignals(service, { log, unwatch });
  const wait = AbortSignal.timeout(overviewWaitMs);
  const isComplete = await Promise.race([
    service.discovered.then(() => true),
    new Promise<boolean>((resolve) => wait.addEventListener('abort', () => resolve(false))),
  ]);
  const isWatched = options.watch !== false && file?.isRegular === true;
  const about = { source, hash, version: version(), isWatched, isComplete, sinceMs: performance.now() };
  printUnheeded(overview(fleet, service, about));
}

interface Source {
  readonly source: string;
  readonly load: () => LoadedFleet | RefusedFleet;
  /** Where it is one. */
  readonly file?: FleetFile;
}

function sourceOf({ config, listen, adminListen, logLevel, backend }: ServeOptions): Source {
  const { env } = process;
  const flags = {
    env,
    ...(listen === undefined ? {} : { listen }),
    ...(adminListen === undefined ? {} : { adminListen }),
    ...(logLevel === undefined ? {} : { logLevel }),
  };
  if (backend !== undefined) return { source: '--backend', load: () => fleetFromUrls(backend, flags) };
  const path = config ?? (env.SWITCHYARD_CONFIG || undefined);
  const fallback = env.OPENAI_BASE_URL;
  if (path === undefined && fallback && !existsSync('fleet.yaml')) {
    return { source: 'OPENAI_BASE_URL', load: () => fleetFromUrls([fallback], flags) };
  }
  const file = createFleetFile({ ...flags, path: path ?? 'fleet.yaml' });
  return { source: file.path, load: () => file.load(), file };
}

/** The function returned ends it. */
function watch(service: Service, file: FleetFile | undefined): () => void {
  if (file?.isRegular !== true) return () => {};
  return watchFleetFile({
    file,
    clock: systemClock,
    reload: () => service.reload('watch'),
    mayPass: () => service.mayPass(),
  });
}

async function reportFailure(cause: unknown, { host, port }: Address): Promise<void> {
  const { AdminListenFailure } = await import('../service/open-admin.ts');
  if (cause instanceof AdminListenFailure) {
    const { listen } = cause;
    reportListenFailure(cause.cause, `${listen.host}:${listen.port}`, 'admin.listen or --admin-listen');
  } else {
    reportListenFailure(cause, `${host}:${port}`, 'server.listen or --listen');
  }
}
