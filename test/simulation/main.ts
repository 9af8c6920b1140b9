// `npm run simulate`: policies side by side on recorded and generated traffic, without a GPU. Simulated throughout; see
// traces/README.md for what that is worth.
import { writeFileSync } from 'node:fs';
import { capacityOf } from './capacity.ts';
import { checkGates } from './gates.ts';
import { Matrix } from './matrix.ts';
import { numberOf, type Options, pathOf, readOptions, scenariosOf, seedsOf, usage } from './options.ts';
import { policies, plottedPolicies, quickPolicies } from './policies.ts';
import { plot } from './report/plots.ts';
import { retention, type Row, table } from './report/table.ts';
import { recordOf } from './report/record.ts';
import type { SimulatedPolicy } from './routers/router.ts';
import { useForChat } from './scenarios.ts';
import { convert } from './trace/convert.ts';

try {
  process.exitCode = main(readOptions(process.argv.slice(2)));
} catch (cause) {
  process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exitCode = 2;
}

function main(options: Options): number {
  if (options.help) return say(usage);
  if (options.convert !== undefined) return converted(options, options.convert);
  if (options.chat !== undefined) useForChat(pathOf(options.chat));
  const matrix = new Matrix(seedsOf(options), (line) => process.stderr.write(`${line}\n`));
  if (options.gates) return checkGates(matrix, say) ? 0 : 1;
  const rows = scenariosOf(options).flatMap((scenario) => {
    const of = scenario.routers.flatMap((routers) => {
      // A single router has nobody to tell.
      const wanted = policiesOf(options).filter(({ name }) => routers > 1 || !name.endsWith('+sync'));
      const some = wanted.map((policy): Row => {
        const measured = matrix.get({ scenario, policy, routers });
        const row = { scenario, policy: policy.name, routers, measured };
        return options.capacity ? { ...row, capacity: capacityOf({ scenario, policy, routers, seed: 1 }) } : row;
      });
      say(
        `\n### ${scenario.id} ${scenario.about}: ${scenario.backends} x ${scenario.profile.name}, ` +
          `rate x ${scenario.rate}, ${routers} router${routers === 1 ? '' : 's'}, ${matrix.seeds.length} seeds\n`,
      );
      say(table(some));
      return some;
    });
    const kept = [...retention(of)].map(([policy, share]) => `${policy} ${share.toFixed(2)}`);
    if (kept.length > 0) say(`\nGoodput kept with several routers: ${kept.join(', ')}`);
    return of;
  });
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify(recordOf(matrix, rows), undefined, 2)}\n`);
  if (options.plots !== undefined)
    for (const scenario of scenariosOf(options))
      for (const routers of scenario.routers) {
        const written = plot(matrix, { scenario, policies: plottedPolicies(routers), routers, dir: options.plots });
        say(written.join('\n'));
      }
  return 0;
}

function policiesOf({ policies: wanted, quick }: Options): readonly SimulatedPolicy[] {
  const names = wanted?.split(',') ?? (quick ? quickPolicies : ['all']);
  if (names.includes('all')) return [...policies.values()];
  return names.map((name) => {
    const policy = policies.get(name);
    if (policy === undefined) throw new Error(`--policies ${name}: there are ${[...policies.keys()].join(', ')}`);
    return policy;
  });
}

function converted({ from, to, first }: Options, format: string): number {
  if (from === undefined || to === undefined) throw new Error('--convert needs --from FILE and --to FILE');
  const most = first === undefined ? {} : { first: numberOf('--first', first) };
  return say(`${convert({ format, from, to, ...most })} requests`);
}

function say(line: string): 0 {
  process.stdout.write(`${line}\n`);
  return 0;
}
