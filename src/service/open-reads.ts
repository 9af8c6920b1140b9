// What the admin listener tells, from the parts that know it: nothing here changes anything.
import { callerOfTenant } from '../access/caller-of-tenant.ts';
import type { Counters } from '../admission/counters.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { effectiveConfig } from '../config/effective.ts';
import { GatewayError } from '../errors.ts';
import type { FleetReport } from '../fleet/report.ts';
import type { AdminReads } from '../http/admin-reads.ts';
import { dryRun } from '../routing/dry-run.ts';
import type { OpenFleet } from './open-fleet.ts';
import type { Reloader } from './reload.ts';
import { createFleetReport } from './report/fleet-report.ts';
import type { Recorder } from './report/recorder.ts';
import type { Serving } from './serving.ts';

export interface ReadsParts {
  readonly version: string;
  readonly source: string;
  readonly recorder: Recorder;
  readonly open: OpenFleet;
  /** Without what was discovered. */
  readonly file: () => Fleet;
  readonly inFlight: Counters;
  readonly serving: Serving;
  readonly reloader: Reloader;
}

export interface Reads extends AdminReads {
  /** For `/readyz?verbose`. */
  details(): object;
}

export function openReads({ open, file, inFlight, serving, reloader, ...about }: ReadsParts): Reads {
  const { live, snapshots, roster, view } = open;
  const { operations } = serving;
  const fleet = createFleetReport({
    ...about,
    levels: serving.levels,
    fleet: () => live.current,
    view,
    snapshot: () => snapshots.current(),
    reloads: () => reloader.status(),
    sharedState: () => serving.sharedState(),
    phase: () => (operations.phase() === 'ready' && !operations.discovered() ? 'starting' : operations.phase()),
    running: () => serving.held().running,
  });
  return {
    fleet,
    config: () => effectiveConfig(file()),
    diff: () => reloader.diff(),
    details: () => readiness(fleet()),
    explain({ tenant, ...question }) {
      const caller = callerOfTenant(live.current, tenant);
      if (caller === undefined) throw new GatewayError('not_found', 'The fleet knows no tenant of this name.');
      const { queues, nowMs } = view();
      const waiting = (model: string) => queues.get(model) ?? 0;
      return dryRun({ snapshots, roster, inFlight, waiting, nowMs }, { ...question, caller });
    },
  };
}

function readiness({ phase, backends, models }: FleetReport): object {
  return {
    phase,
    backends: backends.map(({ name, state, problem }) => ({ name, state, problem })),
    models: models.map(({ name, available, members }) => ({ name, available, members: members.length })),
  };
}
