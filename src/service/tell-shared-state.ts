// Tells the log when what replicas share is lost, and when it is back.
import type { SharedStateSettings } from '../fleet/shared-state.ts';
import type { Logger } from '../log.ts';
import type { StateChange } from '../redis/shared-state.ts';

export function tellSharedState(
  log: Logger,
  { onFailure }: Pick<SharedStateSettings, 'onFailure'>,
  { tenant, lost }: Pick<StateChange, 'tenant' | 'lost'>,
): void {
  if (lost === undefined) log.info({ shared_state: 'up', tenant }, 'shared state answers: limits are exact');
  else log.warn({ shared_state: 'down', tenant, ...lost, limits: onFailure }, 'shared state does not answer');
}
