// Loads fleet files from text, without a disk.
import { printProblems } from '../../../src/config/diagnostics.ts';
import { type FleetSource, type LoadedFleet, loadFleet } from '../../../src/config/load.ts';

export type Given = Partial<Omit<FleetSource, 'text' | 'path'>> & {
  readonly files?: Readonly<Record<string, string>>;
  readonly mode?: number;
};

export function load(
  text: string,
  { env = {}, files = {}, mode = 0o600, ...rest }: Given = {},
): ReturnType<typeof loadFleet> {
  return loadFleet({
    path: 'fleet.yaml',
    text,
    env,
    // Before any day that a test names, whatever the day is.
    nowMs: 0,
    readFile(path) {
      const found = Object.entries(files).find(([name]) => path.endsWith(name));
      if (!found) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      return { bytes: Buffer.from(found[1]), mode };
    },
    ...rest,
  });
}

/** Every problem and warning, as `check` prints them. */
export function said(text: string, given: Given = {}): readonly string[] {
  const loaded = load(text, given);
  const problems = 'fleet' in loaded ? loaded.warnings : loaded.problems;
  return problems.length === 0 ? [] : printProblems(problems, 'text').split('\n');
}

export function valid(text: string, given: Given = {}): LoadedFleet {
  const loaded = load(text, given);
  if ('fleet' in loaded) return loaded;
  throw new Error(printProblems(loaded.problems, 'text'));
}

/** A short fleet with more lines after it; they start on line 4. */
export function fleetWith(more: string): string {
  return `version: 1\nbackends:\n  - { name: a, url: "http://10.0.0.1:8000" }\n${more}`;
}
