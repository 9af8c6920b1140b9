// A fleet file that is read more than once, and whether anything that the last reading saw is another thing by now: the
// file itself and every file with a secret that it names.
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FleetSource, type LoadedFleet, loadFleet, type RefusedFleet } from './load.ts';
import { type FileContent, readBounded, readRegular } from './secrets.ts';

export interface FleetFile {
  readonly path: string;
  /** False for a pipe or a device, which can be read once and not be watched. */
  readonly isRegular: boolean;
  load(): LoadedFleet | RefusedFleet;
  /** The same, without being taken for a `load`. */
  peek(): LoadedFleet | RefusedFleet;
  /** Stands for what the last `load` has read, what could not be read included. */
  seen(): string;
  /** The same for what stands there now. */
  now(): string;
}

interface Reading {
  readonly mostBytes: number;
  readonly digest: string;
}

export function createFleetFile(source: FleetSource): FleetFile {
  const { path } = source;
  let readings = new Map<string, Reading>();
  let hasLoaded = false;
  /** After the first time only what surely ends: nobody writes into a pipe again. */
  const read = (file: string, mostBytes: number): FileContent =>
    file === path && !hasLoaded ? readBounded(file, mostBytes) : readRegular(file, mostBytes);
  const readAndNote = (into: Map<string, Reading>) => (file: string, mostBytes: number) => {
    try {
      const content = read(file, mostBytes);
      into.set(file, { mostBytes, digest: createHash('sha256').update(content.bytes).digest('hex') });
      return content;
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'failed';
      into.set(file, { mostBytes, digest: code });
      throw thrown;
    }
  };
  return {
    path,
    isRegular: isRegular(path),
    load() {
      const mine = new Map<string, Reading>();
      const loaded = loadFleet({ ...source, readFile: readAndNote(mine) });
      readings = mine;
      hasLoaded = true;
      return loaded;
    },
    peek: () => loadFleet({ ...source, readFile: read }),
    seen: () => summary(readings),
    now() {
      const mine = new Map<string, Reading>();
      for (const [file, { mostBytes }] of readings) {
        try {
          readAndNote(mine)(file, mostBytes);
        } catch {
          // Noted: not being there is a state of a file too.
        }
      }
      return summary(mine);
    },
  };
}

function summary(readings: ReadonlyMap<string, Reading>): string {
  return [...readings.values()].map(({ digest }) => digest).join(' ');
}

function isRegular(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
