// Reads the fleet file again and makes the running fleet what it says. Whatever is wrong with it keeps the old one, and is
// told in one log line and in a metric.
import type { Clock } from '../clock.ts';
import { type Problem, printProblems } from '../config/diagnostics.ts';
import type { LoadedFleet, RefusedFleet } from '../config/load.ts';
import { changesBetween, describeChanges, settingsForRestart } from '../fleet/changes.ts';
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
  /** The same, for whoever only looks: what watches the file does not take it for seen. */
  readonly peek: () => LoadedFleet | RefusedFleet;
  readonly apply: (fleet: Fleet, options: ApplyOptions) => Promise<Applied>;
  readonly log: Logger;
  readonly metrics: ConfigWatch;
  readonly clock: Clock;
  /** What runs now. */
  readonly current: () => Fleet;
  /** What runs at the start, and the hash of what it came from. */
  readonly first: { readonly fleet: Fleet; readonly hash: string };
}

export type Reload = (trigger: ReloadTrigger, options?: Partial<ApplyOptions>) => Promise<ReloadOutcome>;

export interface Reloader {
  readonly reload: Reload;
  /** Whether the newest file was refused for what may be another one in a while. */
  readonly mayPass: () => boolean;
  readonly status: () => ReloadStatus;
  /** What a reload would change, from the file as it is now; applies nothing. */
  readonly diff: () => ReloadPlan;
}

/** Which file runs, and since when (clock milliseconds). */
export interface ReloadStatus {
  readonly hash: string;
  readonly loadedAtMs: number;
  /** The newest file, where it was refused. */
  readonly refused: { readonly atMs: number; readonly problems: readonly string[] } | undefined;
}

/** Sent as it is by the admin listener. `config`: what runs; `problems`: the lines that `check` prints. */
export interface ReloadPlan {
  readonly result: 'same' | 'differs' | 'invalid';
  readonly config: string;
  readonly changes: string;
  readonly needs_restart: readonly string[];
  readonly problems: readonly string[];
}

/** One reload after the other: none reads the file before the one ahead has ended. */
export function createReload({ load, peek, apply, log, metrics, clock, current, first }: ReloaderParts): Reloader {
  let { hash } = first;
  let loadedAtMs = clock.now();
  let refusal: ReloadStatus['refused'];
  let mayPass = false;
  let lastRefusal = '';
  let running: Promise<unknown> = Promise.resolve();

  async function reload(trigger: ReloadTrigger, { allowEmpty = false }: Partial<ApplyOptions>): Promise<ReloadOutcome> {
    const loaded = load();
    if ('problems' in loaded) return refused(trigger, linesOf(loaded.problems), false);
    if (loaded.hash === hash) return { result: 'unchanged', config: short(hash) };
    const applied = await apply(loaded.fleet, { allowEmpty }).catch((cause: unknown) => {
      log.error({ cause: describeCause(cause) }, 'a reload failed inside the router');
      return { result: 'refused', problem: 'the router could not open what is new', passing: true } as const;
    });
    if (applied.result === 'refused') return refused(trigger, [applied.problem], applied.passing);
    hash = loaded.hash;
    loadedAtMs = clock.now();
    return {
      result: 'applied',
      config: short(hash),
      changes: describeChanges(applied.changes),
      needs_restart: settingsForRestart(first.fleet, loaded.fleet),
      warnings: linesOf(loaded.warnings),
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
    if (outcome.result === 'refused') {
      refusal = { atMs: clock.now(), problems: outcome.problems };
      return;
    }
    refusal = undefined;
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
    status: () => ({ hash, loadedAtMs, refused: refusal }),
    diff() {
      const loaded = peek();
      const plan = { config: short(hash), changes: '', needs_restart: [], problems: [] };
      if ('problems' in loaded) return { ...plan, result: 'invalid', problems: linesOf(loaded.problems) };
      if (loaded.hash === hash) return { ...plan, result: 'same', problems: linesOf(loaded.warnings) };
      return {
        result: 'differs',
        config: short(hash),
        changes: describeChanges(changesBetween(current(), loaded.fleet)),
        needs_restart: settingsForRestart(first.fleet, loaded.fleet),
        problems: linesOf(loaded.warnings),
      };
    },
  };
}

function linesOf(problems: readonly Problem[]): readonly string[] {
  return problems.length === 0 ? [] : printProblems(problems, 'text').split('\n');
}

/** As the overview shows it. */
function short(hash: string): string {
  return hash.slice(0, 6);
}
