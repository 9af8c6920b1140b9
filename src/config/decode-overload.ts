// `server.overload` as the schema read it → as the fleet has it.
import type { OverloadSettings } from '../fleet/overload-settings.ts';
import { overloadDefaults } from './defaults.ts';
import { present } from './present.ts';
import type { OverloadEntry } from './schema-overload.ts';

export function decodeOverload(entry: OverloadEntry): OverloadSettings {
  return {
    ...overloadDefaults,
    ...present({
      eventLoopDelayMs: entry.event_loop_delay,
      heapRatio: entry.heap,
      openFilesRatio: entry.open_files,
      bufferedBytes: entry.buffered,
    }),
  };
}
