// `switchyard probe`: what is wrong with each backend, and what to change. Asks the backends, not the router.
import { Command } from 'commander';
import { printProblems } from '../config/diagnostics.ts';
import { loadFleet } from '../config/load.ts';
import type { Backend, Fleet } from '../fleet/fleet.ts';
import { examineFleet, type ExaminedFleet } from './examine-fleet.ts';
import { findingsOf, probeJson, probeSummary, probeTable } from './probe-report.ts';
import { below } from './help-text.ts';
import { print } from './print.ts';

interface ProbeOptions {
  readonly config?: string;
  readonly model?: string;
  readonly generate?: true;
  readonly json?: true;
}

export const exitCodes = { good: 0, failed: 1, config: 2 } as const;

export function probeCommand(): Command {
  return new Command('probe')
    .description('ask every backend what it is and how it is, and say what to change')
    .argument('[name...]', 'backends by name; all that are not disabled when left out')
    .option('-c, --config <file>', 'the fleet file (SWITCHYARD_CONFIG; default: fleet.yaml)')
    .option('--model <model>', 'those that serve this model, and whether they really do')
    .option('--generate', 'have each generate one token, or embed one word; this may load a model')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      below({
        examples: [
          'switchyard probe',
          'switchyard probe gpu-a gpu-b --generate',
          'switchyard probe --model llama-3.3-70b --json',
        ],
        exitCodes: { 0: 'all are good', 1: 'some are not', 2: 'the fleet file has errors' },
      }),
    )
    .action(async (names: readonly string[], options: ProbeOptions) => {
      process.exitCode = await probe(names, options);
    });
}

async function probe(names: readonly string[], { config, model, generate, json }: ProbeOptions): Promise<number> {
  const path = config ?? (process.env['SWITCHYARD_CONFIG'] || 'fleet.yaml');
  const loaded = loadFleet({ path, env: process.env });
  if ('problems' in loaded) {
    process.stderr.write(`${printProblems(loaded.problems, 'text')}\n`);
    return exitCodes.config;
  }
  const { fleet } = loaded;
  const unknown = names.find((name) => fleet.backends.every((backend) => backend.name !== name));
  if (unknown !== undefined) {
    const known = fleet.backends.map(({ name }) => name).join(', ');
    process.stderr.write(`switchyard: ${path} has no backend "${unknown}"; it has ${known}.\n`);
    return exitCodes.failed;
  }
  const wanted = model === undefined ? undefined : canonical(fleet, model);
  const found = await examineFleet(fleet, {
    only: chosen(names),
    ...(generate === undefined ? {} : { generate: wanted ?? true }),
  });
  return show(found, { fleet, path, model: wanted, json: json === true });
}

interface Wanted {
  readonly fleet: Fleet;
  readonly path: string;
  readonly model: string | undefined;
  readonly json: boolean;
}

function show({ examined }: ExaminedFleet, { fleet, path, model, json }: Wanted): number {
  const having = model === undefined ? examined : examined.filter(({ models }) => models.includes(model));
  if (having.length === 0 && model !== undefined) {
    const others = [...new Set(examined.flatMap(({ models }) => models))].join(', ') || 'none at all';
    process.stderr.write(`switchyard: no backend that answers serves the model "${model}"; they serve ${others}.\n`);
    if (json) print(probeJson([]));
    return exitCodes.failed;
  }
  const shown = findingsOf(
    having,
    fleet.backends.map(({ name }) => name),
    path,
  );
  print(json ? probeJson(shown) : probeTable(shown));
  if (!json) process.stderr.write(`\n${probeSummary(shown)}${leftOut(fleet)}`);
  return shown.every(({ finding }) => finding.isGood) ? exitCodes.good : exitCodes.failed;
}

/** Who they are only a running router knows. */
function leftOut({ groups }: Fleet): string {
  const names = groups.filter(({ template }) => template.state !== 'disabled').map(({ name }) => name);
  return names.length === 0 ? '' : `Not asked, because a running router finds them: those of ${names.join(', ')}.\n`;
}

function chosen(names: readonly string[]): (backend: Backend) => boolean {
  return names.length === 0 ? ({ state }) => state !== 'disabled' : ({ name }) => names.includes(name);
}

function canonical({ models }: Fleet, name: string): string {
  for (const [model, { aliases }] of models) if (aliases.includes(name)) return model;
  return name;
}
