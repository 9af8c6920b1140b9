// What one admission costs the router: CPU of this process per request that is taken and settled, and round trips.
// Run by `npm run bench`; no assertions, no thresholds. Compare within one run: machines differ, and are noisy.
import { hash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Caller, createKeyring } from '../../src/access/keyring.ts';
import { createLimiter, type RateLimiter } from '../../src/access/limiter.ts';
import { rulesOf } from '../../src/access/rules.ts';
import { createVerdicts } from '../../src/access/verdicts.ts';
import { systemClock } from '../../src/clock.ts';
import type { Limits } from '../../src/fleet/fleet.ts';
import { createSharedLimiter } from '../../src/redis/shared-limiter.ts';
import { aCaller, aFleet, anAuth } from '../support/a-fleet.ts';
import { findRedis } from '../support/redis/binaries.ts';
import { howToInstall } from '../support/redis/how-to-install.ts';
import { RedisServer } from '../support/redis/redis-process.ts';
import { settingsFor } from '../support/redis/settings-for.ts';

const { values } = parseArgs({ options: { admissions: { type: 'string', default: '40000' } } });
const admissions = Number(values.admissions);
const atOnce = 50;
const cost = { inputTokens: 100, outputTokens: 200 };
const enough = 1_000_000_000;

const kinds: readonly (readonly [name: string, limits: Limits])[] = [
  ['no limit', {}],
  ['requests per minute', { requestsPerMinute: enough }],
  ['requests, tokens, concurrent', { requestsPerMinute: enough, tokensPerMinute: enough, concurrent: enough }],
];

const verdicts = createVerdicts({ headers: 'openai', decided: () => {} });
const binary = await findRedis();
if (binary === undefined) throw new Error(howToInstall);
const server = await RedisServer.start(binary);
const asked = new Map<string, number>();
let missed = 0;
const shared = createSharedLimiter(settingsFor(server.url), {
  clock: systemClock,
  verdicts,
  observer: {
    asked: (command) => void asked.set(command, (asked.get(command) ?? 0) + 1),
    failed: (command) => void (command === 'take' && missed++),
    changed: () => {},
  },
});
await shared.start();
try {
  measureKeys();
  process.stdout.write('limits                         where       µs CPU   per s   waited for round trips\n');
  for (const [name, limits] of kinds) {
    await measure(name, 'in memory', createLimiter(systemClock, verdicts), limits);
    await measure(name, 'Redis', shared, limits);
  }
} finally {
  await shared.stop();
  await server.dispose();
}
process.stdout.write(`missed the deadline: ${missed}\n`);

async function measure(name: string, where: string, limiter: RateLimiter, limits: Limits): Promise<void> {
  const tenant = name.replaceAll(/\W/g, '-');
  const caller = aCaller({ tenant, rules: rulesOf({ tenant, keyId: 'k', keyLimits: limits }, anAuth(), new Map()) });
  await run(limiter, caller, admissions / 10);
  const tripsBefore = asked.get('take') ?? 0;
  const [cpu, startedMs] = [process.cpuUsage(), performance.now()];
  await run(limiter, caller, admissions);
  const used = process.cpuUsage(cpu);
  const micros = (used.user + used.system) / admissions;
  const perSecond = (admissions / (performance.now() - startedMs)) * 1000;
  const trips = ((asked.get('take') ?? 0) - tripsBefore) / admissions;
  const columns = [name.padEnd(30), where.padEnd(10), micros.toFixed(1).padStart(7), perSecond.toFixed(0).padStart(7)];
  process.stdout.write(`${columns.join(' ')}   ${trips.toFixed(2)}\n`);
}

/** Of a thousand keys of the usual length. */
function measureKeys(): void {
  const keys = Array.from({ length: 1_000 }, (_, n) => `sk-${String(n).padStart(45, 'x')}`);
  const entries = keys.map((key) => ({ tenant: 't', sha256: hash('sha256', key) }));
  const keyring = createKeyring(aFleet({ auth: { mode: 'keys', keys: entries } }));
  const look = (count: number) => {
    for (let n = 0; n < count; n++) keyring.find(keys[n % keys.length], 0);
  };
  look(10_000);
  const cpu = process.cpuUsage();
  look(admissions);
  const used = process.cpuUsage(cpu);
  process.stdout.write(`a key looked up: ${((used.user + used.system) / admissions).toFixed(2)} µs CPU\n`);
}

async function run(limiter: RateLimiter, caller: Caller, count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) (await limiter.take({ caller, model: 'm', cost })).settle(cost);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
