// `switchyard explain`: where a request would go now, and why. A dry run: no backend is asked and nothing is counted.
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { reason } from '../config/secrets.ts';
import { type EndpointName, endpointNames, featureNames } from '../fleet/capabilities.ts';
import type { CandidateReport, Explanation } from '../fleet/report.ts';
import { isObject, objectsIn } from '../wire/json-value.ts';
import { addAdminOptions, type AdminOptions } from './admin-address.ts';
import { openAdmin, refused, tell, unreachable } from './admin-client.ts';
import { type Paint, painter, type Tone } from './colours.ts';
import { columns } from './columns.ts';
import { explainQuery } from './explain-query.ts';
import { below } from './help-text.ts';
import { print, printLines, say } from './print.ts';

interface ExplainOptions extends AdminOptions {
  readonly model?: string;
  readonly endpoint?: EndpointName;
  readonly needs?: readonly string[];
  readonly promptFile?: string;
  readonly tenant?: string;
  readonly json?: true;
}

export function explainCommand(): Command {
  return addAdminOptions(
    new Command('explain')
      .description('say where a request would go now, and why; a dry run')
      .option('--model <name>', 'the model asked for; left out: that of the prompt file')
      .addOption(
        new Option('--endpoint <name>', 'where it is asked; left out: what the prompt file looks like').choices(
          endpointNames,
        ),
      )
      .option('--needs <list>', `what it needs, with commas: ${featureNames.join(', ')}`, readNeeds)
      .option(
        '--prompt-file <file>',
        'a request body or a plain prompt, - for standard input; only its size and needs are sent',
      )
      .option('--tenant <name>', 'on whose behalf')
      .option('--json', 'print what the router tells (GET /explain)'),
  )
    .addHelpText(
      'after',
      below({
        examples: [
          'switchyard explain --model llama-3.3-70b',
          'switchyard explain --model llama-3.3-70b --needs tools,vision --tenant search-team',
          'switchyard explain --prompt-file request.json',
        ],
        exitCodes: { 0: 'explained', 1: 'there is nothing to explain', 5: 'the router could not be reached' },
      }),
    )
    .action(async (options: ExplainOptions) => {
      process.exitCode = await explain(options);
    });
}

async function explain(options: ExplainOptions): Promise<number> {
  const prompt = options.promptFile === undefined ? undefined : readPrompt(options.promptFile);
  if (prompt !== undefined && 'problem' in prompt) return tell({ ...prompt, exitCode: refused });
  const asked = explainQuery({ ...options, ...prompt });
  if ('problem' in asked) return tell({ ...asked, exitCode: refused });
  if (asked.note !== undefined) say(asked.note);
  const admin = openAdmin(options, process.env);
  if ('problem' in admin) return tell(admin);
  const answer = await admin.get(`/explain?${asked.query.toString()}`);
  if ('problem' in answer) return tell(answer);
  if (options.json) print(answer.text);
  else if (isExplanation(answer.json)) printLines(explanationLines(answer.json, painter(process.stdout)));
  else
    return tell({ problem: `${admin.url}/explain explains nothing: is its version this one?`, exitCode: unreachable });
  return 0;
}

/** Pure. */
export function explanationLines(explanation: Explanation, paint: Paint): readonly string[] {
  const { model, endpoint, policy, winner, why, candidates } = explanation;
  const header = ['BACKEND', 'VERDICT', 'INFLIGHT', 'WEIGHT', 'SCORE', 'WHY'].map((title) => paint('strong', title));
  return [
    `${model} (${endpoint}, ${policy}) goes to ${winner === null ? paint('bad', 'nobody') : paint('good', winner)}.`,
    why,
    ...(candidates.length === 0 ? [] : ['', ...columns([header, ...candidates.map((one) => rowOf(one, paint))])]),
  ];
}

const tones: Readonly<Record<CandidateReport['verdict'], Tone>> = {
  winner: 'good',
  next: 'strong',
  full: 'doubtful',
  excluded: 'quiet',
};

function rowOf(candidate: CandidateReport, paint: Paint): readonly string[] {
  const { backend, verdict, why, score, in_flight, max_in_flight, weight } = candidate;
  return [
    backend,
    paint(tones[verdict], verdict),
    max_in_flight === null ? `${in_flight}` : `${in_flight}/${max_in_flight}`,
    `${weight}`,
    score === null ? '-' : `${Number(score.toPrecision(3))}`,
    why ?? '-',
  ];
}

function isExplanation(json: unknown): json is Explanation {
  return isObject(json) && Array.isArray(json['candidates']) && objectsIn(json['candidates']).every(isCandidate);
}

function isCandidate({ verdict }: { readonly verdict?: unknown }): boolean {
  return typeof verdict === 'string' && verdict in tones;
}

function readPrompt(file: string): { readonly prompt: Buffer } | { readonly problem: string } {
  try {
    return { prompt: readFileSync(file === '-' ? 0 : file) };
  } catch (thrown) {
    return { problem: `${file}: cannot be read: ${reason(thrown)}.` };
  }
}

function readNeeds(text: string): readonly string[] {
  const needs = text.split(',').map((need) => need.trim());
  const known: readonly string[] = featureNames;
  const strange = needs.find((need) => !known.includes(need));
  if (strange !== undefined) throw new InvalidArgumentError(`expected some of ${featureNames.join(', ')}`);
  return needs;
}
