// `switchyard status --watch`: on a terminal the table is redrawn in its place, elsewhere it comes again when it has changed.
// A router that goes away is told, and looked for until it is back.
import { setTimeout as delay } from 'node:timers/promises';
import type { FleetReport } from '../fleet/report.ts';
import { ago } from './ago.ts';
import type { Admin } from './admin-client.ts';
import { painter } from './colours.ts';
import { askFleet } from './fleet-answer.ts';
import { print, say } from './print.ts';
import { statusLines } from './status-table.ts';

const everyMs = 2_000;
const timeoutMs = 5_000;

interface Seen {
  readonly text: string;
  readonly etag: string | undefined;
  readonly report: FleetReport;
  /** When it came, on our clock; with `report.now` it tells what the router's clock says now. */
  readonly atMs: number;
}

/** Ends at SIGINT. */
export async function watchStatus(admin: Admin, { isJson }: { readonly isJson: boolean }): Promise<void> {
  const end = new AbortController();
  process.once('SIGINT', () => end.abort());
  const show =
    process.stdout.isTTY && !isJson ? showInPlace(admin.url) : showChanges(isJson ? ({ text }) => text : table);
  let seen: Seen | undefined;
  while (!end.signal.aborted) {
    const fleet = await askFleet(admin, { etag: seen?.etag, timeoutMs, signal: end.signal });
    if (end.signal.aborted) break;
    if ('problem' in fleet) show(seen, fleet.problem);
    else {
      const { answer, report } = fleet;
      if (report) seen = { text: answer.text, etag: answer.etag, report, atMs: Date.now() };
      show(seen, undefined);
    }
    await delay(everyMs, undefined, { signal: end.signal }).catch(() => {});
  }
}

function table({ report }: Seen): string {
  return `${statusLines(report, Date.parse(report.now), painter(process.stdout)).join('\n')}\n\n`;
}

/** `problem`: why there is nothing newer. */
type Show = (seen: Seen | undefined, problem: string | undefined) => void;

function showChanges(textOf: (seen: Seen) => string): Show {
  const tellOnce = once();
  let last: Seen | undefined;
  return (seen, problem) => {
    tellOnce(problem);
    if (seen && seen !== last) print(textOf(seen));
    last = seen;
  };
}

function once(): (problem: string | undefined) => void {
  let told: string | undefined;
  return (problem) => {
    if (problem !== undefined && problem !== told) say(problem);
    if (problem === undefined && told !== undefined) say('The router answers again.');
    told = problem;
  };
}

function showInPlace(url: string): Show {
  const paint = painter(process.stdout);
  process.stdout.write('\u001b[2J');
  return (seen, problem) => {
    const nowMs = Date.now();
    const lines = [paint('quiet', `${url}, every ${everyMs / 1_000} s; Ctrl-C ends`), ''];
    if (problem !== undefined) {
      lines.push(paint('bad', problem));
      if (seen) lines.push(paint('bad', `Stale: this was ${ago(new Date(seen.atMs).toISOString(), nowMs)}.`));
      lines.push('');
    }
    if (seen) lines.push(...statusLines(seen.report, Date.parse(seen.report.now) + nowMs - seen.atMs, paint));
    process.stdout.write(inPlace(lines, process.stdout));
  };
}

/**
 * From the top left corner; what was there before is wiped line by line, which does not flicker. Lines are cut at the edge
 * (`?7l`), because a wrapped one would push others out.
 */
export function inPlace(lines: readonly string[], { rows }: { readonly rows?: number | undefined }): string {
  // Some terminals do not know their size, and say 0.
  const room = rows ? Math.max(1, rows - 1) : lines.length;
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`];
  return `\u001b[?7l\u001b[H${shown.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J\u001b[?7h`;
}
