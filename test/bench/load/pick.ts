// How long a choice among so many backends takes, from who may take a request to the slot: prints microseconds of CPU.
// `node test/bench/load/pick.ts --backends N --picks N`.
import { parseArgs } from 'node:util';
import { plainCounters } from '../../../src/admission/counters.ts';
import { createSlots, type Slot } from '../../../src/admission/slots.ts';
import { systemClock } from '../../../src/clock.ts';
import { eligible, surelyEligible } from '../../../src/selection/eligible.ts';
import { PanicWatch } from '../../../src/selection/panic.ts';
import { leastConnections } from '../../../src/selection/policies/least-connections.ts';
import { anAsk } from '../../support/an-ask.ts';
import { aCandidate } from '../../support/candidates.ts';

const { values } = parseArgs({
  options: { backends: { type: 'string', default: '1000' }, picks: { type: 'string', default: '3000' } },
});
const candidates = Array.from({ length: Number(values.backends) }, (_, n) => aCandidate({ name: `b${n}` }));
const inFlight = plainCounters();
const slots = createSlots(inFlight);
const policy = leastConnections({ inFlight, clock: systemClock, random: Math.random });
const requirements = {
  needs: ['chat-completions'],
  contextTokens: 1_000,
  tried: new Set<string>(),
  panicRatio: 0.5,
} as const;
const panic = new PanicWatch();
/** So many are in flight at any time. */
const held: Slot[] = [];

function pick(): void {
  const nowMs = systemClock.now();
  const acceptable = surelyEligible(requirements, nowMs, panic.look(candidates, requirements.panicRatio, nowMs));
  const best = acceptable && policy.best?.(candidates, acceptable);
  const slot = slots.claim(best ? [best] : policy.rank(eligible(candidates, requirements, nowMs), anAsk()), nowMs);
  if (slot !== undefined) held.push(slot);
  if (held.length > 200) held.shift()?.release();
}

const picks = Number(values.picks);
for (let n = 0; n < picks; n++) pick();
const before = process.cpuUsage();
for (let n = 0; n < picks; n++) pick();
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${JSON.stringify({ micros: (user + system) / picks })}\n`);
