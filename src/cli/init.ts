// `switchyard init`: looks for inference servers, and writes a fleet file with them. Never writes over anything.
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { printProblems } from '../config/diagnostics.ts';
import { loadFleet } from '../config/load.ts';
import { reason } from '../config/secrets.ts';
import { columns } from './columns.ts';
import { below } from './help-text.ts';
import { fleetFileText, nameOf } from './init-file.ts';
import { makeToken, tokenFile } from './init-token.ts';
import { printUnheeded } from './print.ts';
import { type Found, type Scan, scan, urlsOf, usualPorts } from './scan.ts';

interface InitOptions {
  readonly yes?: true;
  readonly scan?: readonly string[];
  readonly output: string;
  readonly json?: true;
}

const exitCodes = { written: 0, failed: 1, exists: 4 } as const;
/** Where the router listens; the next ones when that is taken. */
const listenPorts = [8000, 8100, 8200, 8300, 8400];
const mostNames = 4;
const packageFolder = resolve(fileURLToPath(new URL('../../', import.meta.url)));
/** What the package is installed in, or else a checkout. */
const project = basename(dirname(packageFolder)) === 'node_modules' ? dirname(dirname(packageFolder)) : packageFolder;

export function initCommand(): Command {
  return new Command('init')
    .description('look for inference servers and write a fleet file with them')
    .option('--yes', 'ask nothing')
    .option('--scan <host...>', 'look on these hosts too, HOST or HOST:PORT')
    .option('--output <file>', 'the file to write', 'fleet.yaml')
    .option('--json', 'print JSON, and ask nothing')
    .addHelpText(
      'after',
      `\nIt looks on this machine, on ports ${usualPorts.join(', ')}.\n${below({ examples: ['switchyard init', 'switchyard init --scan 10.0.0.11 10.0.0.12:8000 --output config/fleet.yaml'], exitCodes: { 0: 'written', 1: 'not written', 4: 'the file exists already' } })}`,
    )
    .action(async (options: InitOptions) => {
      process.exitCode = await init(options);
    });
}

async function init({ yes, scan: hosts = [], output, json }: InitOptions): Promise<number> {
  const unclear = hosts.find((host) => urlsOf(host) === undefined);
  if (unclear !== undefined) return fail(`--scan ${unclear}: expected HOST or HOST:PORT.`);
  if (existsSync(output)) return exists(output);
  if (!json) printUnheeded(`Looking for model servers on ${['this machine', ...hosts].join(', ')}…\n`);
  const seen = await scan(['127.0.0.1', ...hosts]);
  if (!json) printUnheeded(seenText(seen));
  const listenPort = await firstFree(listenPorts);
  const text = fleetFileText({ ...seen, listenPort, schema: schemaFrom(output), tokenFile });
  const token = tokenFor(output);
  if (typeof token === 'string') return fail(token);
  // What is written must be what `serve` takes.
  const readFile = () => ({ bytes: Buffer.from(token.token), mode: 0o600 });
  const checked = loadFleet({ path: output, text, env: {}, readFile });
  if ('problems' in checked) return fail(`what was found makes no fleet:\n${printProblems(checked.problems, 'text')}`);
  const mayAsk = !yes && !json && process.stdin.isTTY && process.stdout.isTTY;
  if (mayAsk && !(await agrees(`Write ${output}? [Y/n] `))) return fail(`${output} was not written.`);
  try {
    token.write();
    // Fails where somebody else was faster.
    writeFileSync(output, text, { flag: 'wx' });
  } catch (thrown) {
    if (existsSync(output)) return exists(output);
    return fail(`cannot write ${output}: ${reason(thrown)}`);
  }
  printUnheeded(json ? asJson(seen, output, listenPort) : nextText(seen, output));
  return exitCodes.written;
}

function tokenFor(output: string): ReturnType<typeof makeToken> | string {
  try {
    return makeToken(output);
  } catch (thrown) {
    return `cannot read ${tokenFile} beside ${output}: ${reason(thrown)}`;
  }
}

function seenText({ found, locked, routers }: Scan): string {
  const rows = found.map((one) => [one.url, one.engine, modelsText(one)]);
  const lines = [
    ...columns(rows, '  '),
    ...locked.map(({ url }) => `  ${url}  wants a token before it says what it is: see the comment in the file`),
    ...routers.map((url) => `  ${url}  is a Switchyard itself, left out`),
    ...(found.length + locked.length + routers.length === 0 ? ['  none found'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function modelsText({ models }: Found): string {
  if (models.length === 0) return 'no model yet';
  const more = models.length - mostNames;
  const names = models.slice(0, mostNames).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return `${models.length} model${models.length === 1 ? ': ' : 's:'} ${names}`;
}

function nextText({ found }: Scan, output: string): string {
  const count = Math.max(1, found.length);
  const what = found.length === 0 ? '1 simulated backend' : `${count} backend${count === 1 ? '' : 's'}`;
  const serve = `serve${output === 'fleet.yaml' ? '' : ` -c ${output}`}`;
  return `Wrote ${output} (${what}, schema line included) and ${tokenFile}. Next: ${called(serve)}\n`;
}

/** How this program is called here. npx tells that it was it; what it fetched for this once, the next npx would not find. */
function called(verb: string): string {
  if (process.env['npm_command'] !== 'exec') return `switchyard ${verb}`;
  return isBelow(process.cwd(), project) ? `npx switchyard ${verb}` : `the same command with "${verb}"`;
}

function asJson({ found, locked, routers }: Scan, output: string, listenPort: number): string {
  const backends = found.map((one) => ({ name: nameOf(one), url: one.url, engine: one.engine, models: one.models }));
  const wanting = locked.map(({ url }) => url);
  const told = {
    file: output,
    token_file: tokenFile,
    listen: `127.0.0.1:${listenPort}`,
    backends,
    wants_token: wanting,
    switchyards: routers,
  };
  return `${JSON.stringify(told, undefined, 2)}\n`;
}

/** Relative where the file is in a project that has the package, so that the project can move; else where the package is. */
function schemaFrom(output: string): string {
  const schema = resolve(packageFolder, 'config/fleet.schema.json');
  const folder = dirname(resolve(output));
  const near = relative(folder, schema).replaceAll('\\', '/');
  // The line ends at the first blank; a URL has none.
  if (!isBelow(folder, project) || /\s/.test(near)) return pathToFileURL(schema).href;
  return near.startsWith('.') ? near : `./${near}`;
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return !way.startsWith('..') && !isAbsolute(way);
}

async function firstFree(ports: readonly number[]): Promise<number> {
  for (const port of ports) if (await isFree(port)) return port;
  return ports[0] ?? 0;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function agrees(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl+D is no answer.
  const closed = new Promise<string>((resolve) => void lines.once('close', () => resolve('n')));
  const answer = await Promise.race([lines.question(question), closed]);
  lines.close();
  return /^\s*(?:y(?:es)?)?\s*$/i.test(answer);
}

function exists(output: string): number {
  process.stderr.write(
    `switchyard: ${output} exists already, and is left as it is; --output FILE writes another one.\n`,
  );
  return exitCodes.exists;
}

function fail(message: string): number {
  process.stderr.write(`switchyard: ${message}\n`);
  return exitCodes.failed;
}
