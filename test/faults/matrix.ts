// The fault matrix: one case for each row of scenarios, against a real router process. A case says what is done and what
// is expected, tells what it has seen in one line, and leaves behind a router for which every invariant holds.
import { expect, it } from 'vitest';
import { systemTest } from '../system/of-test.ts';
import { expectInvariants } from './invariants.ts';
import { type Stand, type StandWishes, startStand } from './stand.ts';

export interface Scenario {
  /** The number of the row; several cases may share one. */
  readonly row: number;
  /** What is done. */
  readonly when: string;
  /** What must come of it, in the words of the error table. */
  readonly expected: string;
  readonly timeoutMs?: number;
}

export interface World {
  /** A router with its engines; the invariants of each are checked when the case has run. */
  readonly stand: (wishes?: StandWishes) => Promise<Stand>;
  /** One that the case has made itself. */
  readonly adopt: (stand: Stand) => void;
  /** One that was killed: it can give no account of itself. */
  readonly release: (stand: Stand) => void;
  /** For the line that is printed. */
  readonly saw: (...what: readonly (string | number | object)[]) => void;
}

/** Call at the top of a test file. */
export function faultMatrix() {
  const test = systemTest();
  const fault = (scenario: Scenario, run: (on: World) => Promise<void>): void => {
    const { row, when, expected, timeoutMs = 60_000 } = scenario;
    it(`# ${row} ${when}: ${expected}`, { timeout: timeoutMs }, async () => {
      const stands = new Set<Stand>();
      const seen: string[] = [];
      const on: World = {
        saw: (...what) => void seen.push(...what.map(shown)),
        adopt: (stand) => void stands.add(stand),
        release: (stand) => void stands.delete(stand),
        async stand(wishes) {
          const stand = await startStand(test, wishes);
          stands.add(stand);
          return stand;
        },
      };
      let verdict = 'FAIL';
      try {
        await run(on);
        for (const stand of stands) await expectInvariants(stand);
        expect(seen, 'a case tells what it has seen').not.toEqual([]);
        verdict = 'ok  ';
      } finally {
        const number = `#${String(row).padStart(3)}`;
        process.stdout.write(`${verdict} ${number}  ${when}: expected ${expected} · seen ${seen.join(', ')}\n`);
      }
    });
  };
  return { ...test, fault };
}

function shown(what: string | number | object): string {
  return typeof what === 'object' ? JSON.stringify(what).replaceAll('"', '') : String(what);
}
