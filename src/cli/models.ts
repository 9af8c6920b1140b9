// `switchyard models`: what callers can ask a running router for, and who serves it.
import { Command } from 'commander';
import { featureNames } from '../fleet/capabilities.ts';
import type { FleetReport, MemberReport, ModelReport } from '../fleet/report.ts';
import { parseJson, objectOf } from '../wire/json-value.ts';
import { addAdminOptions, type AdminOptions } from './admin-address.ts';
import { openAdmin, tell } from './admin-client.ts';
import { type Paint, painter } from './colours.ts';
import { columns } from './columns.ts';
import { askFleet } from './fleet-answer.ts';
import { below } from './help-text.ts';
import { print, printLines, say } from './print.ts';

interface ModelsOptions extends AdminOptions {
  readonly json?: true;
}

export function modelsCommand(): Command {
  return addAdminOptions(
    new Command('models')
      .description('list the models of a running router, and the backends that serve each')
      .option('--json', 'print them as the router tells them (`models` of GET /fleet)'),
  )
    .addHelpText(
      'after',
      below({
        examples: ['switchyard models', 'switchyard models --json | jq -r .[].name'],
        exitCodes: { 0: 'listed', 5: 'the router could not be reached' },
      }),
    )
    .action(async (options: ModelsOptions) => {
      process.exitCode = await models(options);
    });
}

async function models(options: ModelsOptions): Promise<number> {
  const admin = openAdmin(options, process.env);
  if ('problem' in admin) return tell(admin);
  const fleet = await askFleet(admin);
  if ('problem' in fleet) return tell(fleet);
  const { answer, report } = fleet;
  if (options.json) print(JSON.stringify(objectOf(parseJson(answer.text))?.['models'], undefined, 2));
  else if (report && report.models.length > 0) printLines(modelLines(report, painter(process.stdout)));
  else say('The router serves no model.');
  return 0;
}

const header = ['MODEL', 'AVAILABLE', 'WAITING', 'CONTEXT', 'CAN', 'ALIASES', 'BACKENDS'];

export function modelLines({ models }: Pick<FleetReport, 'models'>, paint: Paint): readonly string[] {
  return columns([header.map((title) => paint('strong', title)), ...models.map((model) => rowOf(model, paint))]);
}

function rowOf(model: ModelReport, paint: Paint): readonly string[] {
  const { name, available, members, queue, context, capabilities, aliases } = model;
  const tone = available === 0 ? 'bad' : available < members.length ? 'doubtful' : 'good';
  return [
    name,
    paint(tone, `${available}/${members.length}`),
    `${queue.length}`,
    context === null ? '-' : `${context}`,
    joined(featureNames.filter((feature) => capabilities[feature] === true)),
    joined(aliases),
    joined(members.map(memberText)),
  ];
}

function memberText({ backend, usable, why }: MemberReport): string {
  return usable ? backend : `${backend} (${why ?? 'not usable'})`;
}

function joined(words: readonly string[]): string {
  return words.length === 0 ? '-' : words.join(', ');
}
