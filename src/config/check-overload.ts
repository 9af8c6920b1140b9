// That the largest body allowed fits into what may be buffered, or it could never be let in.
import { overloadDefaults, serverDefaults } from './defaults.ts';
import type { Report } from './diagnostics.ts';
import { child, textAt, type Tree } from './tree.ts';
import { parseSize } from './units.ts';

export function checkOverload(root: Tree, report: Report): void {
  const server = child(root, 'server');
  const buffered = child(server, 'overload', 'buffered');
  const at = buffered ?? child(server, 'max_body');
  if (!at || (buffered && textAt(buffered) === 'off')) return;
  const maxBody = sizeAt(server, 'max_body') ?? serverDefaults.maxBodyBytes;
  if (maxBody > (sizeAt(server, 'overload', 'buffered') ?? overloadDefaults.bufferedBytes))
    report.error(at.place, 'max_body is above overload.buffered', 'a body of that size could never be let in');
}

function sizeAt(node: Tree | undefined, ...path: readonly string[]): number | undefined {
  const parsed = parseSize(textAt(node, ...path) ?? '');
  return 'value' in parsed ? parsed.value : undefined;
}
