// `switchyard plan`: what another fleet file would do, before it is applied.
import { Command } from 'commander';
import { printProblems } from '../config/diagnostics.ts';
import { type LoadedFleet, loadFleet } from '../config/load.ts';
import { settingsForRestart } from '../fleet/changes.ts';
import { effectsOf, type Standing } from '../fleet/effects.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { limitChanges } from '../fleet/limit-changes.ts';
import { addAdminOptions, type AdminOptions } from './admin-address.ts';
import { openAdmin, tell } from './admin-client.ts';
import { unfound, withFoundBefore } from './found-before.ts';
import { type Planned, planJson, planText } from './plan-report.ts';
import { askedStanding, reportedStanding, unaskedStanding } from './standing.ts';
import { below } from './help-text.ts';

interface PlanOptions extends AdminOptions {
  readonly against?: string;
  readonly probe: boolean;
  readonly json?: true;
}

const exitCodes = { nothingLost: 0, lost: 1, config: 2, unreachable: 5 } as const;

export function planCommand(): Command {
  const command = new Command('plan')
    .description('show what a fleet file would change: backends, models, shares, limits')
    .argument('<file>', 'the new fleet file')
    .option('--against <file>', 'compare with this file instead of the running router')
    .option('--no-probe', 'ask no backend; take for granted what the file says');
  return addAdminOptions(command)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      below({
        examples: ['switchyard plan new.yaml', 'switchyard plan new.yaml --against fleet.yaml --no-probe'],
        exitCodes: {
          0: 'nothing is lost',
          1: 'something is',
          2: 'a file has errors',
          5: 'the router can not be asked',
        },
      }),
    )
    .action(async (file: string, options: PlanOptions) => {
      process.exitCode = await plan(file, options);
    });
}

async function plan(file: string, options: PlanOptions): Promise<number> {
  const next = load(file);
  const last = options.against === undefined ? undefined : load(options.against);
  if (next === undefined || (options.against !== undefined && last === undefined)) return exitCodes.config;
  const before = last === undefined ? await running(options) : await standingOf(last.fleet, options.probe);
  if (typeof before === 'number') return before;
  const planned = await compare(next.fleet, before, last?.fleet, options.probe);
  process.stdout.write(options.json ? planJson(planned) : planText(planned));
  return planned.losses.length === 0 ? exitCodes.nothingLost : exitCodes.lost;
}

function load(path: string): LoadedFleet | undefined {
  const loaded = loadFleet({ path, env: process.env });
  if ('fleet' in loaded) return loaded;
  process.stderr.write(`${printProblems(loaded.problems, 'text')}\n`);
  return undefined;
}

/** A number is an exit code: why there is none has been said. */
async function running(options: PlanOptions): Promise<Standing | number> {
  const admin = openAdmin(options, process.env);
  if ('problem' in admin) return tell(admin);
  const answer = await admin.get('/fleet');
  if ('problem' in answer) return tell(answer);
  const standing = reportedStanding(answer.json);
  if (standing !== undefined) return standing;
  process.stderr.write(`switchyard: ${admin.url}/fleet tells no fleet. --against FILE compares with a file.\n`);
  return exitCodes.unreachable;
}

async function standingOf(fleet: Fleet, probe: boolean): Promise<Standing> {
  return probe ? (await askedStanding(fleet)).standing : unaskedStanding(fleet, undefined).standing;
}

async function compare(file: Fleet, before: Standing, last: Fleet | undefined, probe: boolean): Promise<Planned> {
  const next = withFoundBefore(file, before);
  const asked = probe ? await askedStanding(next) : { ...unaskedStanding(next, before), trouble: new Map() };
  const effects = effectsOf(before, asked.standing);
  const known = new Map(before.backends.map(({ name, url }) => [name, url]));
  const isNew = ({ name, url, state }: Standing['backends'][number]) =>
    state === 'enabled' && (!known.has(name) || known.get(name) !== url);
  const bad = asked.standing.backends.filter((backend) => isNew(backend) && asked.trouble.has(backend.name));
  return {
    ...effects,
    losses: [...effects.losses, ...bad.map(({ name }) => `new backend "${name}": ${asked.trouble.get(name) ?? ''}`)],
    limits: last === undefined ? undefined : limitChanges(last, next),
    restart: last === undefined ? undefined : settingsForRestart(last, next),
    unknown: [...('unknown' in asked ? asked.unknown : []), ...unfound(file, before)],
  };
}
