// The fleet file as numbers: whether the newest one runs, since when, and how reloads have ended.
import { Counter, Gauge, type Registry } from 'prom-client';

export const reloadTriggers = ['startup', 'signal', 'watch', 'api'] as const;
export type ReloadTrigger = (typeof reloadTriggers)[number];

export const reloadResults = ['applied', 'unchanged', 'refused'] as const;
export type ReloadResult = (typeof reloadResults)[number];

export interface ConfigWatch {
  /** `hash`: of the fleet that runs now. */
  loaded(trigger: ReloadTrigger, result: ReloadResult, hash: string): void;
}

/** `wallClock`: Unix milliseconds. */
export function watchConfig(registry: Registry, wallClock: () => number): ConfigWatch {
  const registers = [registry];
  const successful = new Gauge({
    name: 'switchyard_config_last_reload_successful',
    help: '0 when the newest fleet file was refused',
    registers,
  });
  const since = new Gauge({
    name: 'switchyard_config_last_reload_success_timestamp_seconds',
    help: 'When the running fleet was loaded',
    registers,
  });
  const reloads = new Counter({
    name: 'switchyard_config_reloads_total',
    help: 'Times the fleet file was read',
    labelNames: ['trigger', 'result'],
    registers,
  });
  const info = new Gauge({
    name: 'switchyard_config_info',
    help: 'Always 1; the short hash of the running fleet',
    labelNames: ['config_hash'],
    registers,
  });
  for (const trigger of reloadTriggers) for (const result of reloadResults) reloads.inc({ trigger, result }, 0);
  return {
    loaded(trigger, result, hash) {
      reloads.inc({ trigger, result });
      successful.set(result === 'refused' ? 0 : 1);
      if (result !== 'applied') return;
      since.set(Math.floor(wallClock() / 1000));
      info.reset();
      info.set({ config_hash: hash.slice(0, 12) }, 1);
    },
  };
}
