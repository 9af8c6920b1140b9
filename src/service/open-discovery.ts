// Who looks for backends, what is told of it, and the fleet that the file and what was found make: one after the other, so that a
// reload never loses what was found, and what is found never brings back an old file.
import type { Clock } from '../clock.ts';
import { createFollowers, type FollowParts } from '../discovery/follow.ts';
import { describeChanges, type FleetChanges } from '../fleet/changes.ts';
import { withFound } from '../fleet/discovery.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { describeCause, type Logger } from '../log.ts';
import type { DiscoveryWatch } from '../metrics/discovery.ts';
import { askApiServer } from '../upstream/api-server.ts';
import { type Applied, type ApplyOptions, stopping } from './live-fleet.ts';

export interface DiscoveryParts {
  readonly log: Logger;
  readonly metrics: DiscoveryWatch;
  readonly clock: Clock;
  readonly random: () => number;
  /** For tests: who answers. */
  readonly answerers?: Partial<Pick<FollowParts, 'names' | 'cluster'>>;
}

type Apply = (whole: Fleet, options: Partial<ApplyOptions>) => Promise<Applied>;

const account = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Resolves when what there is to be found was looked for once. Nothing is applied before `start`. */
export async function openDiscovery(first: Fleet, { log, metrics, clock, random, answerers }: DiscoveryParts) {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  let file = first;
  let applyWhole: Apply | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let isDue = false;
  let isClosed = false;

  const followers = createFollowers({
    clock,
    random,
    ask: askApiServer,
    cluster: { host, port, account },
    ...answerers,
    observer: {
      changed,
      failed(group, code, kept) {
        metrics.failed(group);
        log.warn({ group, discovery: 'failed', code, kept }, 'backends cannot be looked up: those that are known stay');
      },
      answers(group, found, isBack) {
        metrics.found(group, found);
        if (isBack) log.info({ group, discovery: 'ok', found }, 'backends can be looked up again');
      },
      forgotten: (group) => metrics.forget(group),
    },
  });

  function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = running.then(work);
    running = done.catch(() => {});
    return done;
  }

  /** However many changes come meanwhile, they are one. */
  function changed(): void {
    if (isDue || applyWhole === undefined) return;
    isDue = true;
    const apply = applyWhole;
    inTurn(async () => {
      isDue = false;
      if (isClosed) return;
      // Nothing left to be found is a fleet too, once it is believed.
      const applied = await apply(withFound(file, followers.found()), { allowEmpty: true });
      if (applied.result === 'refused' || isNothing(applied.changes)) return;
      const changes = describeChanges(applied.changes);
      log.info({ discovery: 'changed', changes }, `discovered: ${changes}`);
    }).catch((cause: unknown) => log.error({ cause: describeCause(cause) }, 'what was discovered was not applied'));
  }

  await followers.follow(first.groups);
  return {
    /** Of the file alone. */
    get file() {
      return file;
    },
    whole: () => withFound(file, followers.found()),
    /** Groups of which nobody knows yet who is in them. */
    unheard: () => followers.unheard(),
    start(apply: Apply): void {
      applyWhole = apply;
      // What was found since the fleet was made.
      if (file.groups.length > 0) changed();
    },
    /** Makes this the file's part of the running fleet. New groups are looked up before, so that they can take over. */
    apply(next: Fleet, options: Partial<ApplyOptions>, apply: Apply): Promise<Applied> {
      return inTurn(async () => {
        await followers.follow([...file.groups, ...next.groups]);
        try {
          // What was found is forgotten by now, and would be taken for what has left.
          if (isClosed) return stopping;
          const applied = await apply(withFound(next, followers.found()), options);
          if (applied.result === 'applied') file = next;
          return applied;
        } finally {
          await followers.follow(file.groups);
        }
      });
    },
    async close(): Promise<void> {
      isClosed = true;
      await followers.close();
      await running;
    },
  };
}

function isNothing({ added, removed, replaced, changed }: FleetChanges): boolean {
  return [added, removed, replaced, changed].every((backends) => backends.length === 0);
}
