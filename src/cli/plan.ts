// `switchyard plan`: what another fleet file would do, before it is applied.
import { Command } from 'commander';
import { printProblems } from '../config/diagnostics.ts';
import { effectiveConfig } from '../config/effective.ts';
import { type LoadedFleet, loadFleet } from '../config/load.ts';
import { settingsForRestart } from '../fleet/changes.ts';
import { effectsOf, type Standing } from '../fleet/effects.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { objectOf } from '../wire/json-value.ts';
import { addAdminOptions, type AdminOptions } from './admin-address.ts';
import { type Admin, openAdmin, tell } from './admin-client.ts';
import { unfound, withFoundBefore } from './found-before.ts';
import { type Planned, planJson, planText } from './plan-report.ts';
import { askedStanding, reportedStanding, unaskedStanding } from './standing.ts';
import { below } from './help-text.ts';
import { print } from './print.ts';
import { limitChanges, restartsBetween } from './written-changes.ts';

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
  const before =
    last === undefined ? await running(options, next.fleet) : await ofFile(last.fleet, next.fleet, options);
  if (typeof before === 'number') return before;
  const planned = await compare(next.fleet, before, options.probe);
  print(options.json ? planJson(planned) : planText(planned));
  return planned.losses.length === 0 ? exitCodes.nothingLost : exitCodes.lost;
}

function load(path: string): LoadedFleet | undefined {
  const loaded = loadFleet({ path, env: process.env });
  if ('fleet' in loaded) return loaded;
  process.stderr.write(`${printProblems(loaded.problems, 'text')}\n`);
  return undefined;
}

/** What `next` is compared with. */
interface Before {
  readonly standing: Standing;
  /** Undefined, as the next: it does not tell them. */
  readonly limits: readonly string[] | undefined;
  readonly restart: readonly string[] | undefined;
}

/** A number is an exit code: why there is none has been said. */
async function running(options: PlanOptions, next: Fleet): Promise<Before | number> {
  const admin = openAdmin(options, process.env);
  if ('problem' in admin) return tell(admin);
  const answer = await admin.get('/fleet');
  if ('problem' in answer) return tell(answer);
  const standing = reportedStanding(answer.json);
  if (standing !== undefined) return { standing, ...(await settingsOf(admin, next)) };
  process.stderr.write(`switchyard: ${admin.url}/fleet tells no fleet. --against FILE compares with a file.\n`);
  return exitCodes.unreachable;
}

/** Of another version it may not tell them. */
async function settingsOf(admin: Admin, next: Fleet): Promise<Omit<Before, 'standing'>> {
  const answer = await admin.get('/config');
  const config = 'problem' in answer ? undefined : objectOf(answer.json);
  if (config?.['backends'] === undefined) return { limits: undefined, restart: undefined };
  const written = effectiveConfig(next);
  return { limits: limitChanges(config, written), restart: restartsBetween(config, written) };
}

async function ofFile(last: Fleet, next: Fleet, { probe }: PlanOptions): Promise<Before> {
  const { standing } = probe ? await askedStanding(last) : unaskedStanding(last, undefined);
  const limits = limitChanges(effectiveConfig(last), effectiveConfig(next));
  return { standing, limits, restart: settingsForRestart(last, next) };
}

async function compare(file: Fleet, { standing: before, ...settings }: Before, probe: boolean): Promise<Planned> {
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
    ...settings,
    unknown: [...('unknown' in asked ? asked.unknown : []), ...unfound(file, before)],
  };
}
