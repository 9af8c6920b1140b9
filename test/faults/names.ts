// Loaded into a router before anything else: names below `.test` resolve as a file says, so that a name can fail or move
// while the router runs. The file is JSON, from names to an address or to the code of a failure.
import { readFileSync } from 'node:fs';
import dns from 'node:dns';

const file = process.env['NAMES_OF_TEST'] ?? '';
const real = dns.lookup;

function lookup(hostname: string, ...rest: readonly unknown[]): void {
  const done = rest.at(-1);
  if (!hostname.endsWith('.test') || typeof done !== 'function') {
    Reflect.apply(real, dns, [hostname, ...rest]);
    return;
  }
  const names: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const found: unknown = typeof names === 'object' && names !== null ? Reflect.get(names, hostname) : undefined;
  const address = typeof found === 'string' ? found : 'ENOTFOUND';
  const [options] = rest;
  const all = typeof options === 'object' && options !== null && Reflect.get(options, 'all') === true;
  queueMicrotask(() => {
    if (!/^\d/.test(address)) done(Object.assign(new Error(`getaddrinfo ${address}`), { code: address, hostname }));
    else if (all) done(null, [{ address, family: 4 }]);
    else done(null, address, 4);
  });
}

Reflect.set(dns, 'lookup', lookup);
