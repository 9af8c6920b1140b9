// `npm run bench:allocations`: bytes that the router allocates for a plain request and for an event of a stream, against
// test/bench/baseline.json. Fails where it is more. Time is noisy, and this is not. -- --write renews the baseline.
// -- --baseline FILE  --times N
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Baseline, judge, medianOf } from './judge.ts';
import { type Allocations, measureAllocations } from './measure.ts';

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    baseline: { type: 'string', default: join(import.meta.dirname, '../baseline.json') },
    times: { type: 'string', default: '3' },
  },
});
const runs: Allocations[] = [];
for (let n = 0; n < Number(values.times); n++) runs.push(await measureAllocations());
const measured = medianOf(runs);

if (values.write) {
  const baseline: Baseline = { node: process.version, bytes: measured };
  writeFileSync(values.baseline, `${JSON.stringify(baseline, undefined, 2)}\n`);
  process.stdout.write(`written: ${values.baseline}\n`);
}
const baseline: Baseline = JSON.parse(readFileSync(values.baseline, 'utf8'));
if (baseline.node !== process.version)
  process.stdout.write(
    `The baseline is of Node.js ${baseline.node}, this is ${process.version}: differences of 10 % pass.\n`,
  );
const findings = judge(measured, baseline, process.version);
for (const { what, bytes, baseline: before, verdict } of findings) {
  const change = `${((bytes / before - 1) * 100).toFixed(1)} %`;
  process.stdout.write(
    `${what.padEnd(30)} ${String(bytes).padStart(7)} bytes  baseline ${before}  ${change}  ${verdict}\n`,
  );
}
if (findings.some(({ verdict }) => verdict === 'less'))
  process.stdout.write('Less than before: keep it with npm run bench:allocations -- --write\n');
const failed = findings.filter(({ verdict }) => verdict === 'more').length;
if (failed > 0)
  process.stdout.write(
    'More than before. Where it is worth it: npm run bench:allocations -- --write, and say why in the commit.\n',
  );
process.stdout.write(`${findings.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
