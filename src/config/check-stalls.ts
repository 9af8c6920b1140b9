// That `stall_after` comes before the time limits that end a request anyway.
import { timeoutDefaults } from './defaults.ts';
import type { Report } from './diagnostics.ts';
import { child, itemsAt, textAt, type Tree } from './tree.ts';
import { parseDuration } from './units.ts';

export function checkStalls(root: Tree, report: Report): void {
  const defaults = child(root, 'defaults');
  for (const owner of [defaults, ...itemsAt(root, 'backends')]) {
    const at = child(owner, 'stall_after');
    const stallMs = msOf(at);
    if (at === undefined || stallMs === undefined) continue;
    const limit = (name: 'first_byte' | 'gap', ms: number) =>
      msOf(child(owner, 'timeouts', name)) ?? msOf(child(defaults, 'timeouts', name)) ?? ms;
    if (stallMs > Math.max(limit('first_byte', timeoutDefaults.firstByteMs), limit('gap', timeoutDefaults.gapMs)))
      report.warning(at.place, 'stall_after is above first_byte and gap, so it never applies', 'make it the smallest');
  }
}

function msOf(node: Tree | undefined): number | undefined {
  const parsed = parseDuration(textAt(node) ?? '');
  return 'value' in parsed ? parsed.value : undefined;
}
