// `switchyard drain` and `undrain`: take a backend of a running router out for maintenance, and put it back.
import { Argument, Command } from 'commander';
import { amountOf, objectOf, textOf } from '../wire/json-value.ts';
import { addTokenOption, type AdminOptions } from './admin-address.ts';
import { type Admin, openAdmin, tell, unreachable } from './admin-client.ts';
import { below } from './help-text.ts';
import { print } from './print.ts';
import { requests, waitUntilFree } from './wait-until-free.ts';

interface DrainOptions extends AdminOptions {
  readonly wait?: true;
  readonly json?: true;
}

const exitCodes = { 1: 'refused', 5: 'the router could not be reached' } as const;

export function drainCommand(): Command {
  return addTokenOption(
    new Command('drain')
      .description('take a backend out: it gets nothing new and finishes what it has')
      .addArgument(backendArgument())
      .option('--wait', 'come back when it has finished')
      .option('--json', 'print the answer as JSON'),
  )
    .addHelpText(
      'after',
      below({
        examples: ['switchyard drain gpu-b --wait', 'switchyard drain gpu-b --token-file /run/secrets/admin.token'],
        exitCodes: {
          0: 'taken out, and with --wait free or gone',
          ...exitCodes,
          1: 'refused, or put back before it was free',
        },
      }),
    )
    .action(async (backend: string, options: DrainOptions) => {
      process.exitCode = await drain(backend, options);
    });
}

export function undrainCommand(): Command {
  return addTokenOption(
    new Command('undrain')
      .description('put a backend that was taken out back')
      .addArgument(backendArgument())
      .option('--json', 'print the answer as JSON'),
  )
    .addHelpText('after', below({ examples: ['switchyard undrain gpu-b'], exitCodes: { 0: 'put back', ...exitCodes } }))
    .action(async (backend: string, options: DrainOptions) => {
      process.exitCode = await undrain(backend, options);
    });
}

/** By its name the completion knows what to offer. */
function backendArgument(): Argument {
  return new Argument('<backend>', 'its name in the fleet file');
}

async function drain(backend: string, options: DrainOptions): Promise<number> {
  const admin = openAdmin(options, process.env);
  if ('problem' in admin) return tell(admin);
  const drained = await turn(admin, backend, 'drain');
  if ('problem' in drained) return tell(drained);
  if (!options.wait) {
    const { state, inFlight } = drained;
    const still = inFlight === 0 ? 'it is free' : `${requests(inFlight)} still in flight`;
    print(options.json ? drained.text : `${backend} is ${state}: ${still}.`);
    return 0;
  }
  const free = await waitUntilFree(admin, backend);
  if ('problem' in free) return tell(free);
  const end = free.isGone ? 'it has left the fleet' : 'it is free';
  print(
    options.json
      ? JSON.stringify({ backend, state: free.state, in_flight: 0 })
      : `${backend} is ${free.state}: ${end}.`,
  );
  return 0;
}

async function undrain(backend: string, options: DrainOptions): Promise<number> {
  const admin = openAdmin(options, process.env);
  if ('problem' in admin) return tell(admin);
  const undrained = await turn(admin, backend, 'undrain');
  if ('problem' in undrained) return tell(undrained);
  print(options.json ? undrained.text : `${backend} is ${undrained.state}.`);
  return 0;
}

interface Turned {
  readonly text: string;
  readonly state: string;
  readonly inFlight: number;
}

async function turn(admin: Admin, backend: string, verb: 'drain' | 'undrain') {
  const answer = await admin.post(`/backends/${encodeURIComponent(backend)}/${verb}`);
  if ('problem' in answer) return answer;
  const said = objectOf(answer.json);
  const [state, inFlight] = [textOf(said?.['state']), amountOf(said?.['in_flight'])];
  if (state === undefined || inFlight === undefined) {
    return { problem: `${admin.url} did not tell how it ended: is its version this one?`, exitCode: unreachable };
  }
  return { text: answer.text, state, inFlight } satisfies Turned;
}
