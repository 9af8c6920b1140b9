// Vitest's global setup: the programs that check what is deployed, found on this machine or installed below
// `.cache/deploy/` (linters from PyPI, Helm by Go) and from the distribution's packages. Never a skip: what can't be had
// ends the run and says what to install.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { run, succeeds } from '../real/run.ts';
import { installPackage } from '../support/debian-package.ts';
import { places } from './places.ts';

export interface DeployTools {
  readonly helm: string;
  /** And its first arguments. */
  readonly kustomize: readonly [string, ...string[]];
  readonly nginx: string;
  readonly haproxy: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    deployTools: DeployTools;
  }
}

export async function setup(project: TestProject): Promise<void> {
  mkdirSync(places.cache, { recursive: true });
  await step('linters (from PyPI the first time)', installLinters);
  const helm = await step('Helm (compiles it: about two minutes the first time)', findHelm);
  const kustomize = await step('Kustomize', findKustomize);
  const nginx = await step('nginx', () => findOrInstall('nginx', 'nginx-light', '-v'));
  const haproxy = await step('HAProxy', () => findOrInstall('haproxy', 'haproxy', '-v'));
  await step('systemd-analyze', () => findOrInstall('systemd-analyze', 'systemd', '--version'));
  project.provide('deployTools', { helm, kustomize, nginx, haproxy });
}

async function step<T>(name: string, perform: () => Promise<T>): Promise<T> {
  const started = performance.now();
  process.stdout.write(`deployment checks: ${name} … `);
  const result = await perform();
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  return result;
}

async function installLinters(): Promise<void> {
  const hash = createHash('sha256').update(readFileSync(places.requirements)).digest('hex');
  const stamp = join(places.environment, 'installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  await need(
    'python3',
    ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))'],
    'Python 3.9 or newer with venv (Debian, Ubuntu: apt-get install python3-venv)',
  );
  await run('python3', ['-m', 'venv', '--clear', places.environment]);
  await run(places.python, ['-m', 'pip', 'install', '--quiet', '--requirement', places.requirements]);
  writeFileSync(stamp, hash);
}

/** Always the pinned one: what `helm lint` finds depends on its version. */
async function findHelm(): Promise<string> {
  return build(places.helmFolder, 'helm', places.helmModule);
}

async function findKustomize(): Promise<DeployTools['kustomize']> {
  if (await succeeds('kubectl', ['kustomize', '--help'])) return ['kubectl', 'kustomize'];
  if (await succeeds('kustomize', ['version'])) return ['kustomize', 'build'];
  return [await build(places.kustomizeFolder, 'kustomize', places.kustomizeModule), 'build'];
}

async function build(folder: string, name: string, module: string): Promise<string> {
  const program = join(folder, name);
  if (existsSync(program)) return program;
  await need('go', ['version'], 'Go 1.21 or newer (Debian 13, Ubuntu 24.04: apt-get install golang-go)');
  await run('go', ['install', module], { GOBIN: folder });
  return program;
}

/** Debian keeps servers where only root looks. */
const paths = ['', '/usr/sbin/', '/usr/local/sbin/'];

async function findOrInstall(program: string, debianPackage: string, version: string): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    for (const path of paths) if (await succeeds(`${path}${program}`, [version])) return `${path}${program}`;
    return undefined;
  };
  const found = await find();
  if (found !== undefined) return found;
  let cause: unknown;
  if (process.getuid?.() === 0) {
    try {
      process.stdout.write(`installs ${debianPackage} with apt-get … `);
      await installPackage(program, debianPackage);
    } catch (failure) {
      cause = failure;
    }
  }
  const installed = await find();
  if (installed !== undefined) return installed;
  const what = `${program} (Debian, Ubuntu: apt-get install ${debianPackage}, which the tests do themselves as root)`;
  throw new Error(`The deployment checks need ${what}; then run them again.`, { cause });
}

async function need(command: string, args: readonly string[], what: string): Promise<void> {
  if (!(await succeeds(command, args))) throw new Error(`The deployment checks need ${what}; then run them again.`);
}
