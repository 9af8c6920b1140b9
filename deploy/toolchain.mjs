// Makes `npm start` and `npm test` work on a fresh machine: brings a supported Node.js when the installed one is too
// old, and installs the locked dependencies when they are missing or older than the lock file.
// Plain JavaScript for any Node >= 18, without dependencies, because it runs before anything is installed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, '.cache');
const reference = 24;

function supported(version) {
  const [major, minor] = version.split('.').map(Number);
  return (major === 22 && minor >= 22) || major === 24 || major >= 26;
}

function npm(args, why) {
  console.error(`switchyard: ${why}`);
  // npm tells its scripts where it is; outside of npm, the one on the PATH serves.
  const script = process.env.npm_execpath;
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  try {
    if (script?.endsWith('.js'))
      execFileSync(process.execPath, [script, ...args, ...quiet], { cwd: root, stdio: ['ignore', 2, 2] });
    else
      execFileSync('npm', [...args, ...quiet], {
        cwd: root,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      });
  } catch {
    console.error(
      `switchyard: "npm ${args.join(' ')}" failed. Check that the npm registry can be reached (npm ping), then try again.`,
    );
    process.exit(1);
  }
}

/** Runs `make` in a scratch folder and moves it into place, so that a run cut short leaves nothing half-made. */
function atomically(target, make) {
  const scratch = `${target}.${process.pid}`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  make(scratch);
  rmSync(target, { recursive: true, force: true });
  renameSync(scratch, target);
}

/** Path of a Node.js binary that the project supports; fetched once into .cache/ when the running one is too old. */
function nodeBinary() {
  if (supported(process.versions.node)) return process.execPath;
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const pkg = `node-${platform}-${process.arch}`;
  const home = join(cache, `node-${reference}`);
  const binary = join(home, 'node_modules', pkg, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    atomically(home, (scratch) => {
      writeFileSync(join(scratch, 'package.json'), '{"private":true}\n');
      npm(
        ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--prefix', scratch, `${pkg}@${reference}`],
        `Node.js ${process.versions.node} is too old (needed: ^22.22 || ^24 || >=26); bringing Node.js ${reference} into .cache/ …`,
      );
    });
  }
  return binary;
}

function installDependencies() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  const stamp = join(root, 'node_modules', '.switchyard-lock');
  const wanted = readFileSync(lock, 'utf8');
  if (existsSync(installed) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  npm(['ci', '--ignore-scripts'], 'installing the dependencies of package-lock.json …');
  writeFileSync(stamp, wanted);
}

/** `node_modules/.bin` comes first on the PATH of npm's scripts, so a link there decides which Node.js they run on. */
function linkNode(binary) {
  const link = join(root, 'node_modules', '.bin', 'node');
  const here = existsSync(link) ? statSync(link).ino : undefined;
  if (binary === process.execPath && here === undefined) return;
  if (here !== undefined && here === statSync(binary).ino) return;
  rmSync(link, { force: true });
  if (binary !== process.execPath) symlinkSync(binary, link);
}

const binary = nodeBinary();
installDependencies();
linkNode(binary);
