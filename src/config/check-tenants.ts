// Tenants and the keys and models they speak of.
import type { Credentials } from './credentials.ts';
import { didYouMean, type Report } from './diagnostics.ts';
import { parseExpiry } from './expiry.ts';
import { child, entriesAt, itemsAt, textAt, type Tree } from './tree.ts';

const mostShown = 20;

export function checkTenants(root: Tree, auth: Pick<Credentials, 'mode' | 'envKeyHashes'>, report: Report): void {
  checkTenantNames(root, auth, report);
  checkModelLimits(root, report);
}

export function checkExpiry(root: Tree, nowMs: number, report: Report): void {
  for (const key of itemsAt(root, 'auth', 'keys')) {
    const expires = child(key, 'expires');
    const parsed = parseExpiry(textAt(expires) ?? '');
    if (expires && 'value' in parsed && parsed.value <= nowMs)
      report.warning(expires.place, 'this key has expired', 'remove it, or give it a later day');
  }
}

function checkTenantNames(root: Tree, auth: Pick<Credentials, 'mode' | 'envKeyHashes'>, report: Report): void {
  const named = itemsAt(root, 'auth', 'keys').map((key) => textAt(key, 'tenant'));
  // A name that could not be read may be the one that is meant.
  if (named.includes(undefined)) return;
  const known = new Set(named.filter((tenant) => tenant !== undefined));
  if (auth.envKeyHashes.length > 0) known.add('default');
  if (auth.mode === 'none') known.add('anonymous');
  const list = known.size === 0 ? 'there are no keys' : `tenants: ${[...known].slice(0, mostShown).join(', ')}`;
  for (const [tenant, { keyPlace }] of entriesAt(root, 'auth', 'tenants')) {
    if (known.has(tenant)) continue;
    const meant = didYouMean(tenant, [...known]);
    const guess = meant === undefined ? '' : `did you mean "${meant}"? `;
    const missing = tenant === 'default' ? 'API_KEYS is not set; ' : guess;
    report.warning(keyPlace, 'no key has this tenant', `${missing}${list}`);
  }
}

function checkModelLimits(root: Tree, report: Report): void {
  const models = entriesAt(root, 'models');
  const canonical = new Map(
    models.flatMap(([model, { node }]) => itemsAt(node, 'aliases').map((alias) => [textAt(alias), model] as const)),
  );
  for (const [, { node }] of entriesAt(root, 'auth', 'tenants')) {
    for (const [name, { keyPlace }] of entriesAt(node, 'model_limits')) {
      const model = canonical.get(name);
      if (model !== undefined)
        report.error(keyPlace, 'limits belong to the model, not an alias', `write "${model}" instead`);
    }
  }
}
