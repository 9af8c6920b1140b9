// What the router itself may run out of: who looks, who is told, and the door that is shut meanwhile.
import { HeldBytes } from '../admission/held-bytes.ts';
import { Overload, type OverloadChange } from '../admission/overload.ts';
import { Room } from '../admission/room.ts';
import type { Clock } from '../clock.ts';
import type { OverloadSettings } from '../fleet/overload-settings.ts';
import type { OpenSockets } from '../http/open-sockets.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics/observe.ts';
import { connectionsWithin, DescriptorCount, descriptorLimit } from '../pressure/descriptors.ts';
import { PressureWatch, type Readings, usedHeap } from '../pressure/watch.ts';

export interface PressureParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly sockets: OpenSockets;
  /** Ends connections on which nothing is under way. */
  readonly closeIdle: () => void;
  /** For tests: what stands in for what is really used. */
  readonly readings: Partial<Readings> | undefined;
  /** How many serve in this process, which share its descriptors. */
  readonly threads: number;
}

/** With fewer a few hundred streams are the end of it. */
const fewDescriptors = 4_096;

export function openPressure(limits: OverloadSettings, parts: PressureParts) {
  const { log, metrics, clock, threads } = parts;
  const isWatched = limits.openFilesRatio < Infinity;
  const descriptors = isWatched ? descriptorLimit() : undefined;
  const maxConnections = descriptors === undefined ? undefined : Math.ceil(connectionsWithin(descriptors) / threads);
  if (descriptors !== undefined && descriptors < fewDescriptors) {
    log.warn(
      { open_files: descriptors, connections: maxConnections },
      'this process may open few files, and each stream takes two: raise LimitNOFILE= (systemd) or ulimit -n',
    );
  }
  const overload = new Overload((change) => {
    tell(log, change);
    if (change.isOver && change.resource === 'open_files') parts.closeIdle();
  });
  const bytes = new HeldBytes(limits.bufferedBytes);
  const room = new Room({ overload, bytes, refused: () => metrics.turnedAway('overload') });
  const watch = new PressureWatch({
    clock,
    overload,
    limits,
    readings: { ...ownReadings(parts, { bytes, descriptors, maxConnections }), ...parts.readings },
  });
  metrics.showPressure({
    get loads() {
      return watch.loads;
    },
    get bufferedBytes() {
      return bytes.total;
    },
    isOver: (resource) => overload.isOver(resource),
  });
  return { room, bytes, maxConnections, start: () => watch.start(), stop: () => watch.stop() };
}

interface Known {
  readonly bytes: HeldBytes;
  readonly descriptors: number | undefined;
  readonly maxConnections: number | undefined;
}

function ownReadings(
  { clock, sockets, threads }: PressureParts,
  { bytes, descriptors, maxConnections }: Known,
): Readings {
  const callers = () => sockets.size;
  const count = descriptors === undefined ? undefined : new DescriptorCount({ clock, limit: descriptors, callers });
  return {
    heap: () => usedHeap(threads),
    // Of connections there may be fewer, and who finds none free could not even be told why.
    openFiles: () =>
      count === undefined || descriptors === undefined || maxConnections === undefined
        ? undefined
        : Math.max(count.now / descriptors, callers() / maxConnections),
    buffered() {
      bytes.queued = sockets.queuedBytes;
      return bytes.total;
    },
  };
}

function tell(log: Logger, { resource, isOver, load }: OverloadChange): void {
  const fields = { overload: resource, used: Math.round(load * 100) / 100 };
  if (isOver) log.warn(fields, 'overloaded: new requests are refused until there is room again');
  else log.info(fields, 'room again: new requests are taken');
}
