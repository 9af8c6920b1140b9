// The shared state as numbers. Its own file because these exist only where there is shared state: an alert on
// `switchyard_shared_state_up == 0` must not fire where there is nothing to be up.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { smallBuckets } from './instruments.ts';

export interface SharedStateWatch {
  asked(command: string, durationMs: number): void;
  failed(command: string, reason: string): void;
  changed(up: boolean): void;
}

export function watchSharedState(registry: Registry): SharedStateWatch {
  const registers = [registry];
  const up = new Gauge({
    name: 'switchyard_shared_state_up',
    help: '1 when Redis answers; 0 while limits are decided without it',
    aggregator: 'min',
    registers,
  });
  const durations = new Histogram({
    name: 'switchyard_shared_state_command_duration_seconds',
    help: 'Round trips to Redis that were answered in time',
    labelNames: ['command'],
    buckets: smallBuckets,
    registers,
  });
  const errors = new Counter({
    name: 'switchyard_shared_state_errors_total',
    help: 'What Redis did not do, or not in time',
    labelNames: ['command', 'reason'],
    registers,
  });
  return {
    asked: (command, durationMs) => durations.observe({ command }, durationMs / 1000),
    failed: (command, reason) => errors.inc({ command, reason }),
    changed: (isUp) => up.set(isUp ? 1 : 0),
  };
}
