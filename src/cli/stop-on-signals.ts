// When and how `serve` ends: as signals say, or because of a bug that no request could answer for.
import { describeCause, type Logger } from '../log.ts';
import type { Service } from '../service.ts';

interface DrainTimes {
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
}

const failed = 1;
/** A bug that comes back with every chunk must not fill the disk. */
const mostBugsTold = 10;

/**
 * SIGTERM finishes what runs, SIGINT skips the time for load balancers to notice, and a second signal ends it at once. An
 * exception or rejection that nobody caught leaves its own request without an answer and everything else in doubt, so
 * it is a SIGTERM that ends with 1.
 */
export function stopOnSignals(service: Service, { drainDelayMs, drainTimeoutMs }: DrainTimes, log: Logger): void {
  let isStopping = false;
  let bugs = 0;
  const stop = (delayMs: number) => {
    if (isStopping) return;
    isStopping = true;
    end(delayMs).catch((cause: unknown) => {
      log.error({ err: cause }, 'stopping failed');
      process.exit(failed);
    });
  };
  const end = async (delayMs: number) => {
    await service.stop({ delayMs, timeoutMs: drainTimeoutMs });
    log.info('stopped');
    // At once: what a bug has left open would keep the process.
    if (bugs > 0) process.exit(failed);
  };
  let signals = 0;
  const onSignal = (signal: 'SIGTERM' | 'SIGINT') => {
    if (++signals > 1) process.exit(failed);
    log.info({ signal }, 'stopping');
    stop(signal === 'SIGINT' ? 0 : drainDelayMs);
  };
  const onBug = (kind: 'exception' | 'rejection') => (cause: unknown) => {
    if (++bugs <= mostBugsTold) log.fatal({ kind, cause: describeCause(cause) }, 'a bug in the router: stopping');
    stop(drainDelayMs);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onBug('exception'));
  process.on('unhandledRejection', onBug('rejection'));
}
