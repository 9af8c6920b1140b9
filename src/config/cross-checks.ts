// What several fields must agree on. Reads the tree, not the decoded file, so that it also runs when some field is wrong:
// what cannot be read is left out of the comparison.
import type { Address } from '../fleet/fleet.ts';
import { hostAndPort } from '../fleet/address-of-url.ts';
import { isLoopback, parseBackendUrl, reaches } from './addresses.ts';
import { checkDiscover } from './check-discover.ts';
import { checkFallbacks } from './check-fallbacks.ts';
import { checkLimits } from './check-limits.ts';
import { checkOverload } from './check-overload.ts';
import { checkSharedState } from './check-shared-state.ts';
import { checkStalls } from './check-stalls.ts';
import { checkExpiry, checkTenants } from './check-tenants.ts';
import type { Credentials } from './credentials.ts';
import { serverDefaults, timeoutDefaults } from './defaults.ts';
import type { Report } from './diagnostics.ts';
import { child, entriesAt, itemsAt, placeOf, textAt, type Tree } from './tree.ts';
import { parseDuration } from './units.ts';

export interface Effective {
  /** After flags and environment; absent when it could not be read. */
  readonly listen: Address | undefined;
  readonly auth: Pick<Credentials, 'mode' | 'envKeyHashes'>;
  readonly nowMs: number;
}

export function crossCheck(root: Tree, { listen, auth, nowMs }: Effective, report: Report): void {
  const backends = itemsAt(root, 'backends');
  for (const backend of backends) if (backend.kind === 'map') checkEngine(backend, report);
  checkNames(backends, report);
  checkUrls(backends, listen, report);
  checkAliases(root, backends, report);
  checkBackendNames(root, backends, report);
  checkFallbacks(root, report);
  checkTimes(root, backends, report);
  checkStalls(root, report);
  checkLimits(root, report);
  checkTenants(root, auth, report);
  checkExpiry(root, nowMs, report);
  checkSharedState(root, report);
  checkOverload(root, report);
  if (listen && auth.mode === 'none' && !isLoopback(listen.host)) {
    const at = child(root, 'server', 'listen') ?? root;
    report.warning(
      at.place,
      'others can reach this address, and no key is asked for',
      'set auth.mode: keys or API_KEYS, or listen on 127.0.0.1',
    );
  }
}

/** The name in the file, or the one that follows from the URL. */
function backendNameOf(backend: Tree): string | undefined {
  if (child(backend, 'name')) return textAt(backend, 'name');
  const url = urlOf(backend);
  if (url === undefined) return undefined;
  const { host, port } = hostAndPort(url);
  return /^[A-Za-z0-9]/.test(host) ? `${host}:${port}` : undefined;
}

function urlOf(backend: Tree): string | undefined {
  const parsed = parseBackendUrl(textAt(backend, 'url') ?? '');
  return 'value' in parsed ? parsed.value : undefined;
}

function checkEngine(backend: Tree, report: Report): void {
  if (child(backend, 'discover')) {
    checkDiscover(backend, report);
    return;
  }
  const engine = child(backend, 'engine');
  const [url, simulate] = [child(backend, 'url'), child(backend, 'simulate')];
  if (textAt(engine) === 'simulated') {
    if (url) report.error(url.place, 'a simulated backend has no url', 'remove it, or name the engine that runs there');
    if (!child(backend, 'name')) report.error(backend.place, 'a simulated backend needs a name');
    return;
  }
  // With an engine that cannot be read, both of these may be right.
  if (engine && textAt(engine) === undefined) return;
  if (!url) report.error(backend.place, 'url is required', 'only engine: simulated does without');
  else if (urlOf(backend) !== undefined && !child(backend, 'name') && backendNameOf(backend) === undefined) {
    report.error(backend.place, 'a name is required: none can be made of this url');
  }
  if (simulate) report.error(simulate.place, 'simulate is only for engine: simulated');
}

function checkNames(backends: readonly Tree[], report: Report): void {
  const seen = new Map<string, Tree>();
  for (const backend of backends) {
    const name = backendNameOf(backend);
    if (name === undefined) continue;
    const earlier = seen.get(name);
    const at = child(backend, 'name') ?? child(backend, 'url') ?? backend;
    if (earlier)
      report.error(
        at.place,
        `${earlier.place.path} has the name "${name}" too`,
        'names are unique: give this one another name',
      );
    else seen.set(name, backend);
  }
}

function checkUrls(backends: readonly Tree[], listen: Address | undefined, report: Report): void {
  const seen = new Map<string, Tree>();
  for (const backend of backends) {
    const url = urlOf(backend);
    if (url === undefined || textAt(backend, 'engine') === 'simulated') continue;
    const at = placeOf(child(backend, 'url'));
    const earlier = seen.get(url);
    if (earlier)
      report.error(at, `${earlier.place.path} has the same url`, 'list a server once; use weight to send it more');
    else seen.set(url, backend);
    if (listen && reaches(hostAndPort(url), listen))
      report.error(at, 'this is the router itself', 'change the port here or in server.listen');
  }
}

function checkAliases(root: Tree, backends: readonly Tree[], report: Report): void {
  const models = entriesAt(root, 'models');
  const taken = new Map<string, string>(models.map(([name]) => [name, `the model "${name}"`]));
  const served = new Map<string, string>();
  for (const backend of backends) {
    for (const item of [...itemsAt(backend, 'models'), ...itemsAt(backend, 'simulate', 'models')]) {
      const name = textAt(item);
      if (name !== undefined) served.set(name, item.place.path);
    }
  }
  for (const [model, { node }] of models) {
    for (const item of itemsAt(node, 'aliases')) {
      const alias = textAt(item);
      if (alias === undefined) continue;
      const [shadowed, by] = [taken.get(alias), served.get(alias)];
      if (shadowed !== undefined)
        report.error(item.place, `this alias is already ${shadowed}`, 'an alias points to one model');
      else if (by !== undefined)
        report.error(item.place, `this alias is a model of its own: ${by}`, 'an alias points to one model');
      else taken.set(alias, `an alias of "${model}"`);
    }
  }
}

function checkBackendNames(root: Tree, backends: readonly Tree[], report: Report): void {
  const names = backends.filter((backend) => backend.kind === 'map').map(backendNameOf);
  // A name that could not be read may be the one that is meant.
  if (names.includes(undefined)) return;
  const known = new Set(names);
  for (const [, { node }] of entriesAt(root, 'models')) {
    for (const [name, { keyPlace }] of entriesAt(node, 'backend_names')) {
      if (!known.has(name))
        report.error(keyPlace, 'no backend has this name', `backends: ${[...known].slice(0, 20).join(', ')}`);
    }
  }
}

function checkTimes(root: Tree, backends: readonly Tree[], report: Report): void {
  const defaults = child(root, 'defaults', 'timeouts');
  const gapMs = durationAt(defaults, 'gap') ?? timeoutDefaults.gapMs;
  const totalMs = durationAt(defaults, 'total') ?? timeoutDefaults.totalMs;
  const models = entriesAt(root, 'models').map(([, { node }]) => node);
  for (const timeouts of [defaults, ...[...backends, ...models].map((owner) => child(owner, 'timeouts'))]) {
    const at = child(timeouts, 'gap') ?? child(timeouts, 'total');
    if (at && (durationAt(timeouts, 'gap') ?? gapMs) > (durationAt(timeouts, 'total') ?? totalMs)) {
      report.warning(at.place, 'gap is above total, so it never applies', 'make gap the smaller one');
    }
  }
  const server = child(root, 'server');
  const at = child(server, 'drain_delay') ?? child(server, 'drain_timeout');
  const delayMs = durationAt(server, 'drain_delay') ?? serverDefaults.drainDelayMs;
  if (at && delayMs > (durationAt(server, 'drain_timeout') ?? serverDefaults.drainTimeoutMs)) {
    report.error(at.place, `drain_delay (${delayMs} ms) is above drain_timeout`, 'the delay is a part of the timeout');
  }
}

function durationAt(node: Tree | undefined, name: string): number | undefined {
  const parsed = parseDuration(textAt(node, name) ?? '');
  return 'value' in parsed ? parsed.value : undefined;
}
