// What the command line says.
import { parseArgs } from 'node:util';
import { type ProfileName, profiles } from './replica/profiles.ts';
import { type Scenario, scenarios, storedTrace } from './scenarios.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { spreadInTicks } from './trace/trace.ts';

export const usage = `npm run simulate -- [options]
  --scenario S1,S3|all   what is simulated; S1 unless said
  --trace FILE           this trace instead of the scenario's (.jsonl or .jsonl.gz, see test/simulation/traces/README.md)
  --chat FILE            this one for S1 and whatever is made of it, S5 to S9 and the gates: all of Mooncake's conversations, say
  --spread SECONDS       its clock ticks so rarely: arrivals come at any time within a tick
  --fleet PROFILE        ${Object.keys(profiles).join(', ')}
  --backends N  --routers 1,4  --speed X (times as fast as in the trace)
  --policies a,b|all     --seeds N
  --quick                one seed and the policies that matter most
  --capacity             the highest rate with nine of ten requests good, too
  --json FILE  --plots DIR
  --gates                checks what is promised of least-cost; exit code 1 when it is not kept
  --convert mooncake|azure --from FILE --to FILE [--first N]`;

export function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', default: 'S1' },
      trace: { type: 'string' },
      chat: { type: 'string' },
      spread: { type: 'string' },
      fleet: { type: 'string' },
      backends: { type: 'string' },
      routers: { type: 'string' },
      speed: { type: 'string' },
      policies: { type: 'string' },
      seeds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      capacity: { type: 'boolean', default: false },
      json: { type: 'string' },
      plots: { type: 'string' },
      gates: { type: 'boolean', default: false },
      convert: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      first: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

export type Options = ReturnType<typeof readOptions>;

/** The scenarios asked for, with what the command line puts in place of their own. */
export function scenariosOf(options: Options): readonly Scenario[] {
  const ids = options.scenario.split(',');
  const unknown = ids.find((id) => id !== 'all' && !scenarios.some((scenario) => scenario.id === id));
  if (unknown !== undefined)
    throw new Error(`--scenario ${unknown}: there are ${scenarios.map(({ id }) => id).join(', ')}`);
  return scenarios
    .filter(({ id }) => ids.includes(id) || ids.includes('all'))
    .map((scenario) => changed(scenario, options));
}

function changed(scenario: Scenario, { trace, spread, fleet, backends, routers, speed }: Options): Scenario {
  if (fleet !== undefined && !isProfile(fleet))
    throw new Error(`--fleet ${fleet}: there are ${Object.keys(profiles).join(', ')}`);
  const file = trace === undefined ? undefined : pathOf(trace);
  const tickS = spread === undefined ? 0 : numberOf('--spread', spread);
  return {
    ...scenario,
    ...(fleet === undefined ? {} : { profile: profiles[fleet] }),
    ...(backends === undefined ? {} : { backends: numberOf('--backends', backends) }),
    ...(speed === undefined ? {} : { rate: numberOf('--speed', speed) }),
    ...(routers === undefined ? {} : { routers: routers.split(',').map((one) => numberOf('--routers', one)) }),
    ...(file === undefined
      ? {}
      : { trace: (seed) => spreadInTicks(storedTrace(file), tickS, seededRandom(seed)), about: file }),
  };
}

/** A bare name is a file here, not one of those in the repository. */
export function pathOf(file: string): string {
  return file.includes('/') ? file : `./${file}`;
}

export function seedsOf({ seeds, quick }: Options): readonly number[] {
  const count = seeds === undefined ? (quick ? 1 : 3) : numberOf('--seeds', seeds);
  return Array.from({ length: count }, (_, index) => index + 1);
}

export function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${option} ${text}: a number above 0 is needed`);
  return number;
}

function isProfile(name: string): name is ProfileName {
  return Object.hasOwn(profiles, name);
}
