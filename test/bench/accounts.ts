// What processes have used, by the system's own account.
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

/** Seconds of CPU that a process and all below it have used, those that have ended and were waited for included. */
export function cpuSeconds(pid: number): number {
  return treeOf(pid).reduce((sum, one) => sum + ownSeconds(one), 0);
}

/** Resident memory of a process and all below it, in bytes. */
export function residentBytes(pid: number): number {
  return treeOf(pid).reduce((sum, one) => {
    const [, pages = '0'] = read(`/proc/${one}/statm`).split(' ');
    return sum + Number(pages) * 4096;
  }, 0);
}

/** The same with what processes share counted once. */
export function proportionalBytes(pid: number): number {
  return treeOf(pid).reduce((sum, one) => {
    const [, kibibytes = '0'] = /^Pss: +(\d+)/m.exec(read(`/proc/${one}/smaps_rollup`)) ?? [];
    return sum + Number(kibibytes) * 1024;
  }, 0);
}

function ownSeconds(pid: number): number {
  // The name, in parentheses, may hold anything.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  return [11, 12, 13, 14].reduce((sum, n) => sum + Number(fields[n] ?? 0), 0) / ticksPerSecond;
}

function treeOf(pid: number): readonly number[] {
  const children = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const [, parent] = read(`/proc/${name}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    return parent === String(pid) ? treeOf(Number(name)) : [];
  });
  return [pid, ...children];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
