// `npm run soak -- --minutes N` or `npm run soak -- --trial kill|reload|rolling`: real processes under load while things
// break. Ends with the line `N passed, M failed`, and with 1 where something failed.
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';
import { killTrial } from './trial-kill.ts';
import { reloadTrial } from './trial-reload.ts';
import { rollingTrial } from './trial-rolling.ts';
import { say, Verdict } from './verdict.ts';

const trials = { kill: killTrial, reload: reloadTrial, rolling: rollingTrial };

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, trial: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const trial = Object.entries(trials).find(([name]) => name === values.trial)?.[1];

if (values.trial !== undefined && trial === undefined) {
  say(`no such trial; there are ${Object.keys(trials).join(', ')}`);
  process.exitCode = 2;
} else if (!(minutes >= 1) || !Number.isSafeInteger(seed)) {
  say('--minutes is a number, at least 1; --seed a whole number');
  process.exitCode = 2;
} else {
  const verdict = new Verdict();
  if (trial === undefined) await soak({ minutes, seed }, verdict);
  else await trial(verdict);
  process.exitCode = verdict.conclude();
}
