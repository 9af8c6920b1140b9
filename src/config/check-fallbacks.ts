// Models that stand in for others.
import { fallbackCauses } from '../fleet/fleet.ts';
import type { Report } from './diagnostics.ts';
import { child, entriesAt, itemsAt, textAt, type Tree } from './tree.ts';

export function checkFallbacks(root: Tree, report: Report): void {
  const models = entriesAt(root, 'models');
  const canonical = new Map(
    models.flatMap(([model, { node }]) => itemsAt(node, 'aliases').map((alias) => [textAt(alias), model] as const)),
  );
  const known = namesOf(root);
  for (const [model, { node }] of models) {
    for (const list of listsOf(node)) {
      const seen = new Set<string>();
      for (const item of list) {
        const written = textAt(item);
        if (written === undefined) continue;
        const name = canonical.get(written) ?? written;
        if (name === model) report.error(item.place, 'this is the model itself', 'name another one, or remove it');
        else if (seen.has(name)) report.error(item.place, 'this model is named already', 'remove one of the two');
        else if (known !== undefined && !known.has(name))
          report.warning(item.place, 'no backend has this model', 'check its name');
        seen.add(name);
      }
    }
  }
}

function listsOf(model: Tree): readonly (readonly Tree[])[] {
  return [itemsAt(model, 'fallback'), ...fallbackCauses.map((cause) => itemsAt(model, 'fallback', cause))];
}

/** Every model there can be; undefined where some backend is asked for its models. */
function namesOf(root: Tree): ReadonlySet<string> | undefined {
  const names = new Set(entriesAt(root, 'models').map(([name]) => name));
  for (const backend of itemsAt(root, 'backends')) {
    const lists = [child(backend, 'models'), child(backend, 'simulate', 'models')].filter((list) => list !== undefined);
    if (lists.length === 0) return undefined;
    for (const list of lists) for (const item of itemsAt(list)) names.add(textAt(item) ?? '');
  }
  return names;
}
