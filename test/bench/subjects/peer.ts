// Routers of others: brought from their package registry below `.cache/bench/peers`, and started with nothing of the environment here.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../real/run.ts';
import { cache } from '../folders.ts';
import { Started } from '../processes.ts';
import { chatPath, type Place, type Serving, type Subject } from '../subject.ts';

export interface Peer {
  readonly name: string;
  /** Version first, then what is switched on. */
  readonly about: string;
  /** Page that advises these settings for production. */
  readonly advice: string;
  readonly brought: Bringing;
  /** How it is started; paths are below the folder of its package. */
  readonly launch: (place: Place) => Launch;
}

export interface Launch {
  /** Below the folder of the package, or `node`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

/** What to install, where from; versions are pinned. */
export interface Bringing {
  readonly from: 'PyPI' | 'npm' | 'Go';
  readonly package: string;
  /** npm alone: versions of what it needs, where its own ranges let in what is too new for it. */
  readonly overrides?: Readonly<Record<string, string>>;
}

export function peer({ name, about, advice, brought, launch }: Peer): Subject {
  const folder = join(cache, 'peers', brought.package.replaceAll(/[^\w.@]+/g, '-'));
  return {
    name,
    about: `${about} (${advice})`,
    isPeer: true,
    install: () => bring(brought, folder),
    start(place): Promise<Serving> {
      const { program, args, env = {}, headers = {}, path = chatPath } = launch(place);
      const command = program === 'node' ? program : join(folder, program);
      const where = place.cores === undefined ? {} : { cores: place.cores };
      const words = args.map((arg) => arg.replace('PACKAGE', folder));
      const process = new Started({ command, args: words, env, homeOnly: place.dir, cwd: place.dir, ...where });
      const url = `http://127.0.0.1:${place.port}${path}`;
      return Promise.resolve({ url, headers, process, stop: () => process.stop() });
    },
  };
}

/**
 * Half of it is never left. A refusal is remembered: a registry that has said no is not asked again, until the file is deleted.
 * @throws Error with what the package client said.
 */
async function bring(brought: Bringing, folder: string): Promise<void> {
  if (existsSync(folder)) return;
  const refusal = `${folder}.refused`;
  if (existsSync(refusal)) throw new Error(`${readFileSync(refusal, 'utf8').trim()} (remembered in ${refusal})`);
  process.stdout.write(`brings ${brought.package} from ${brought.from} …\n`);
  mkdirSync(folder, { recursive: true });
  try {
    await installers[brought.from](brought, folder);
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    writeFileSync(refusal, cause instanceof Error ? cause.message : String(cause));
    throw cause;
  }
}

/** Nothing that a package brings is run while it is installed. */
const installers = {
  async PyPI({ package: name }: Bringing, folder: string) {
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin', 'pip'), ['install', '--quiet', '--only-binary', ':all:', name]);
  },
  async npm({ package: name, overrides = {} }: Bringing, folder: string) {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }));
    const quiet = ['--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'];
    await run('npm', ['install', '--prefix', folder, ...quiet, name]);
  },
  async Go({ package: name }: Bringing, folder: string) {
    const sources = join(folder, 'sources');
    await run('go', ['install', name], { GOBIN: folder, GOPATH: sources, GOFLAGS: '-modcacherw' });
    rmSync(sources, { recursive: true, force: true });
  },
} satisfies Record<Bringing['from'], (brought: Bringing, folder: string) => Promise<void>>;
