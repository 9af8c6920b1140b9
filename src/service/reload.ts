// Reads the fleet file again and makes the running fleet what it says. Whatever is wrong with it keeps the old one, and is
// told in one log line and in a metric.
import { printProblems } from '../config/diagnostics.ts';
import type { LoadedFleet, RefusedFleet } from '../config/load.ts';
import { describeChanges, settingsForRestart } from '../fleet/changes.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { describeCause, type Logger } from '../log.ts';
import type { ConfigWatch, ReloadTrigger } from '../metrics/config.ts';
import type { Applied, ApplyOptions } from './live-fleet.ts';

/** Problems and warnings are the lines that `check` prints. Sent as it is by the admin listener. */
export type ReloadOutcome =
  | {
      readonly result: 'applied';
      readonly config: string;
      readonly changes: string;
      /** Settings that stay as they were until the next start. */
      readonly needs_restart: readonly string[];
      readonly warnings: readonly string[];
    }
  | { readonly result: 'unchanged'; readonly config: string }
  /** `config`: what goes on running. `passing`: the same file may be accepted later. */
  | {
      readonly result: 'refused';
      readonly config: string;
      readonly problems: readonly string[];
      readonly passing: boolean;
    };

export interface ReloaderParts {
  readonly load: () => LoadedFleet | RefusedFleet;
  readonly apply: (fleet: Fleet, options: ApplyOptions) => Promise<Applied>;
  readonly log: Logger;
  readonly metrics: ConfigWatch;
  /** What runs at the start, and the hash of what it came from. */
  readonly first: { readonly fleet: Fleet; readonly hash: string };
}

export type Reload = (trigger: ReloadTrigger, options?: Partial<ApplyOptions>) => Promise<ReloadOutcome>;

export interface Reloader {
  readonly reload: Reload;
  /** Whether the newest file was refused for what may be another one in a while. */
  readonly mayPass: () => boolean;
}

/** One reload after the other: none reads the file before the one ahead has ended. */
export function createReload({ load, apply, log, metrics, first }: ReloaderParts): Reloader {
  let hash = first.hash;
  let mayPass = false;
  let lastRefusal = '';
  let running: Promise<unknown> = Promise.resolve();

  async function reload(trigger: ReloadTrigger, { allowEmpty = false }: Partial<ApplyOptions>): Promise<ReloadOutcome> {
    const loaded = load();
    if ('problems' in loaded) return refused(trigger, printProblems(loaded.problems, 'text').split('\n'), false);
    if (loaded.hash === hash) return { result: 'unchanged', config: short(hash) };
    const applied = await apply(loaded.fleet, { allowEmpty }).catch((cause: unknown) => {
      log.error({ cause: describeCause(cause) }, 'a reload failed inside the router');
      return { result: 'refused', problem: 'the router could not open what is new', passing: true } as const;
    });
    if (applied.result === 'refused') return refused(trigger, [applied.problem], applied.passing);
    hash = loaded.hash;
    return {
      result: 'applied',
      config: short(hash),
      changes: describeChanges(applied.changes),
      needs_restart: settingsForRestart(first.fleet, loaded.fleet),
      warnings: loaded.warnings.length === 0 ? [] : printProblems(loaded.warnings, 'text').split('\n'),
    };
  }

  function refused(trigger: ReloadTrigger, problems: readonly string[], passing: boolean): ReloadOutcome {
    // What watches asks again and again whether the way is free by now.
    const isNews = trigger !== 'watch' || lastRefusal !== problems.join('\n') || !passing;
    lastRefusal = problems.join('\n');
    if (isNews) log.error({ trigger, problems, config: short(hash) }, 'reload refused: the fleet stays as it was');
    return { result: 'refused', config: short(hash), problems, passing };
  }

  function tell(trigger: ReloadTrigger, outcome: ReloadOutcome): void {
    metrics.loaded(trigger, outcome.result, hash);
    mayPass = outcome.result === 'refused' && outcome.passing;
    if (outcome.result === 'refused') return;
    lastRefusal = '';
    if (outcome.result === 'unchanged') {
      log.info({ trigger, config: outcome.config }, 'reload: the fleet file says what runs already');
      return;
    }
    const { config, changes, needs_restart, warnings } = outcome;
    const line = {
      trigger,
      config,
      changes,
      ...(needs_restart.length === 0 ? {} : { needs_restart }),
      ...(warnings.length === 0 ? {} : { warnings }),
    };
    log[needs_restart.length === 0 ? 'info' : 'warn'](line, `reloaded: ${changes}`);
  }

  return {
    reload(trigger, options = {}) {
      const outcome = running.then(async () => {
        const ended = await reload(trigger, options);
        tell(trigger, ended);
        return ended;
      });
      running = outcome.catch(() => {});
      return outcome;
    },
    mayPass: () => mayPass,
  };
}

/** As the overview shows it. */
function short(hash: string): string {
  return hash.slice(0, 6);
}
