// Waits until a backend that was taken out has finished what it had, and tells how far it is.
import { setTimeout as delay } from 'node:timers/promises';
import type { BackendReport } from '../fleet/report.ts';
import { type Admin, type Refusal, refused } from './admin-client.ts';
import { askFleet } from './fleet-answer.ts';
import { say } from './print.ts';

const everyMs = 1_000;

export interface Free {
  readonly state: string;
  /** The fleet file has it no more. */
  readonly isGone: boolean;
}

/** Interrupted, it ends with what is still running; the backend stays out. */
export async function waitUntilFree(admin: Admin, backend: string): Promise<Free | Refusal> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.once('SIGINT', onSignal);
  try {
    return await wait(admin, backend, interrupt.signal);
  } finally {
    process.off('SIGINT', onSignal);
  }
}

async function wait(admin: Admin, name: string, signal: AbortSignal): Promise<Free | Refusal> {
  let last: BackendReport | undefined;
  for (;;) {
    const fleet = await askFleet(admin, { signal });
    if (signal.aborted) return interrupted(name, last);
    if ('problem' in fleet) return fleet;
    const backend = fleet.report?.backends.find((one) => one.name === name);
    if (backend === undefined) return { state: 'gone', isGone: true };
    if (backend.admin_state === 'enabled') {
      return {
        problem: `${name} was put back while ${requests(backend.in_flight)} were in flight.`,
        exitCode: refused,
      };
    }
    if (backend.in_flight === 0) return { state: backend.admin_state, isGone: false };
    if (backend.in_flight !== last?.in_flight) say(`${name}: ${requests(backend.in_flight)} still in flight`);
    last = backend;
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}

function interrupted(name: string, last: BackendReport | undefined): Refusal {
  const still = last === undefined ? '' : `, ${requests(last.in_flight)} in flight`;
  const problem = `${name} is still draining${still}, and stays out: \`switchyard undrain ${name}\` puts it back.`;
  return { problem, exitCode: refused };
}

export function requests(count: number): string {
  return `${count} request${count === 1 ? '' : 's'}`;
}
