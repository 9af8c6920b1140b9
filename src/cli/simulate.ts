// `switchyard simulate`: one simulated backend in a process of its own, for demos and client tests.
import { once } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/units.ts';
import type { Address } from '../fleet/fleet.ts';
import type { SimulatedServer } from '../simulated/server.ts';
import { below } from './help-text.ts';
import { reportListenFailure } from './listen-failure.ts';
import { printUnheeded } from './print.ts';

interface SimulateOptions {
  readonly listen: Address;
  readonly model: readonly string[];
  readonly firstToken: number;
  readonly tokensPerSecond: number;
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('run a simulated backend: it answers like an inference server, and no model is run')
    .option('--listen <host:port>', 'address to listen on', readAddress, { host: '127.0.0.1', port: 9001 })
    .option('--model <name...>', 'names of the models it serves', ['simulated'])
    .option('--first-token <duration>', 'time to the first token', readDuration, 200)
    .option('--tokens-per-second <number>', 'speed from then on', readRate, 30)
    .addHelpText(
      'after',
      below({
        examples: [
          'switchyard simulate --listen 127.0.0.1:9001 --model demo',
          'switchyard simulate --first-token 1s --tokens-per-second 5',
        ],
        exitCodes: { 0: 'stopped', 1: 'failed', 3: 'port in use' },
      }),
    )
    .action(simulate);
}

async function simulate({ listen, model, firstToken, tokensPerSecond }: SimulateOptions): Promise<void> {
  const settings = { models: model, firstTokenMs: firstToken, tokensPerSecond };
  let server: SimulatedServer;
  try {
    // Loaded here, so that the other verbs need not wait for it.
    const { startSimulated } = await import('../simulated/server.ts');
    server = await startSimulated({ ...settings, ...listen });
  } catch (cause) {
    reportListenFailure(cause, `${listen.host}:${listen.port}`, '--listen');
    return;
  }
  printUnheeded(`${server.url}\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await server.close();
}

function readAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535)
    throw new InvalidArgumentError('expected host:port, for example 127.0.0.1:9001');
  return { host, port };
}

function readDuration(text: string): number {
  const quantity = parseDuration(text);
  if ('problem' in quantity) throw new InvalidArgumentError(`${quantity.problem}: ${quantity.hint}`);
  return quantity.value;
}

function readRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0) || !Number.isFinite(rate)) throw new InvalidArgumentError('expected a number above 0');
  return rate;
}
