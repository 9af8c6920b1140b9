// When and how `serve` ends: as signals say, or because of a bug that no request could answer for.
import { describeCause, type Logger } from '../log.ts';
import type { Service } from '../service.ts';

interface Stopping {
  readonly log: Logger;
  /** The fleet file is not looked at any more. */
  readonly unwatch: () => void;
}

const failed = 1;
/** A bug that comes back with every chunk must not fill the disk. */
const mostBugsTold = 10;

/**
 * SIGTERM finishes what runs, SIGINT skips the time for load balancers to notice, and a second signal ends it at once. An
 * exception or rejection that nobody caught leaves its own request without an answer and everything else in doubt, so
 * it is a SIGTERM that ends with 1.
 */
export function stopOnSignals(service: Service, { log, unwatch }: Stopping): void {
  let isStopping = false;
  let bugs = 0;
  const stop = (isUrgent: boolean) => {
    if (isStopping) return;
    isStopping = true;
    unwatch();
    end(isUrgent).catch((cause: unknown) => {
      log.error({ cause: describeCause(cause) }, 'stopping failed');
      process.exit(failed);
    });
  };
  const end = async (isUrgent: boolean) => {
    const { drainDelayMs, drainTimeoutMs } = service.fleet.server;
    await service.stop({ delayMs: isUrgent ? 0 : drainDelayMs, timeoutMs: drainTimeoutMs });
    log.info('stopped');
    // At once: what a bug has left open would keep the process.
    if (bugs > 0) process.exit(failed);
  };
  let signals = 0;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT') => {
    if (++signals > 1) process.exit(failed);
    log.info({ signal }, 'stopping');
    stop(signal === 'SIGINT');
  };
  const onBug = (kind: 'exception' | 'rejection') => (cause: unknown) => {
    if (++bugs <= mostBugsTold) log.fatal({ kind, cause: describeCause(cause) }, 'a bug in the router: stopping');
    stop(false);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onBug('exception'));
  process.on('unhandledRejection', onBug('rejection'));
}
