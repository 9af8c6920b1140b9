// The package as users get it: packed from a checkout, installed into a clean folder, and run from there with npx.
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Without what npm tells of its own run, and without what this machine has set for a router. */
export const cleanNpmEnv: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|SWITCHYARD_|OPENAI_|API_KEYS$|VITEST)/i.test(name),
  ),
);

export const quietly = ['--no-audit', '--no-fund', '--prefer-offline'];

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Installed {
  /** Its path. */
  readonly tarball: string;
  /** What the package holds, from its root. */
  readonly files: readonly string[];
  /** A verb, to its end. */
  readonly npx: (...args: readonly string[]) => Promise<Ended>;
  /** A verb that goes on. */
  readonly start: (...args: readonly string[]) => ChildProcessWithoutNullStreams;
}

/** `checkout` has its dependencies; `folder` is empty. `env` is added to that of what runs there. */
export async function installPacked(
  checkout: string,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Installed> {
  const packed = await npm(['pack', '--json', '--pack-destination', folder], checkout);
  const told: readonly { readonly files: readonly { readonly path: string }[] }[] = JSON.parse(
    packed.slice(packed.indexOf('[\n')),
  );
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  await npm(['install', ...quietly, `./${tarball}`], folder);
  const options = { cwd: folder, env: { ...cleanNpmEnv, ...env } };
  return {
    tarball: join(folder, tarball),
    files: told[0]?.files.map(({ path }) => path) ?? [],
    npx: (...args) => ended(execute('npx', ['--no-install', 'switchyard', ...args], options)),
    // Not npx itself, which would not hand on how it is ended.
    start: (...args) => spawn(join(folder, 'node_modules/.bin/switchyard'), args, options),
  };
}

export async function npm(args: readonly string[], cwd: string): Promise<string> {
  return (await execute('npm', args, { cwd, env: cleanNpmEnv, maxBuffer: 64 * 1024 * 1024 })).stdout;
}

async function ended(running: Promise<{ readonly stdout: string; readonly stderr: string }>): Promise<Ended> {
  try {
    return { code: 0, ...(await running) };
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && typeof cause.code === 'number')) throw cause;
    const said = (name: 'stdout' | 'stderr') => String(new Map(Object.entries(cause)).get(name) ?? '');
    return { code: cause.code, stdout: said('stdout'), stderr: said('stderr') };
  }
}
