// Puts `GET /fleet` together from the parts that live: nothing is kept beside the truth but what is said to be remembered.
import type { LimitLevels } from '../../access/limiter.ts';
import { limitsOfTenants, type TenantLimits } from '../../access/limits-of-tenants.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import type { ConfigReport, FleetReport, ModelReport } from '../../fleet/report.ts';
import type { FleetView } from '../../metrics/fleet-gauges.ts';
import type { Snapshot } from '../../routing/snapshot.ts';
import type { ReloadStatus } from '../reload.ts';
import { reportBackends } from './backend-reports.ts';
import { reportModels } from './model-reports.ts';
import type { Recorder } from './recorder.ts';
import { reportTenants } from './tenant-reports.ts';

export interface FleetReportParts {
  readonly version: string;
  /** Where the fleet came from, for people. */
  readonly source: string;
  readonly recorder: Recorder;
  readonly levels: LimitLevels;
  readonly fleet: () => Fleet;
  readonly view: () => FleetView;
  readonly snapshot: () => Snapshot;
  readonly reloads: () => ReloadStatus;
  readonly sharedState: () => { readonly up: boolean; readonly onFailure: string } | undefined;
  readonly phase: () => FleetReport['phase'];
  /** Requests from their first byte to their last. */
  readonly running: () => number;
}

export function createFleetReport(parts: FleetReportParts): () => FleetReport {
  const { recorder, levels } = parts;
  const { wallTime, traffic } = recorder;
  const tenantsOf = perFleet(limitsOfTenants);
  return () => {
    const view = parts.view();
    const config = reportConfig(parts);
    const models = reportModels({ ...view, targets: parts.snapshot().targets });
    const shared = parts.sharedState();
    const waiting = [...view.queues.values()].reduce((sum, length) => sum + length, 0);
    return {
      switchyard: { version: parts.version, node: process.version, started_at: wallTime(recorder.startedMs) },
      now: wallTime(view.nowMs),
      phase: parts.phase(),
      attention: whatToLookAt({ models, config, isSharedStateLost: shared?.up === false }),
      config,
      shared_state: shared === undefined ? null : { up: shared.up, on_failure: shared.onFailure },
      traffic: traffic.read({ in_flight: parts.running(), waiting }),
      backends: reportBackends({ view, records: recorder.backends, wallTime }),
      models,
      tenants: reportTenants(tenantsOf(parts.fleet()), { levels, traffic }),
      failures: recorder.failures.list().map(({ atMs, ...failure }) => ({ at: wallTime(atMs), ...failure })),
      decisions: recorder.decisions.list().map(({ atMs, ...decision }) => ({ at: wallTime(atMs), ...decision })),
    };
  };
}

/** All rules of all tenants are many, and change with the fleet only. */
function perFleet(make: (fleet: Fleet) => readonly TenantLimits[]): typeof make {
  let last: { readonly of: Fleet; readonly made: readonly TenantLimits[] } | undefined;
  return (fleet) => {
    if (last?.of !== fleet) last = { of: fleet, made: make(fleet) };
    return last.made;
  };
}

function reportConfig({ source, reloads, recorder: { wallTime } }: FleetReportParts): ConfigReport {
  const { hash, loadedAtMs, refused } = reloads();
  return {
    source,
    hash: hash.slice(0, 12),
    loaded_at: wallTime(loadedAtMs),
    refused: refused === undefined ? null : { at: wallTime(refused.atMs), problems: refused.problems },
  };
}

interface Concerns {
  readonly models: readonly ModelReport[];
  readonly config: ConfigReport;
  readonly isSharedStateLost: boolean;
}

function whatToLookAt({ models, config, isSharedStateLost }: Concerns): readonly string[] {
  const without = models.filter(({ available }) => available === 0);
  return [
    ...without.map(({ name, members }) =>
      members.length === 0
        ? `The model ${name} has no backend.`
        : `The model ${name} has no usable backend (0 of ${members.length}).`,
    ),
    ...(config.refused === null ? [] : ['The newest fleet file was refused; an older one runs.']),
    ...(isSharedStateLost ? ['Shared state (Redis) does not answer.'] : []),
  ];
}
