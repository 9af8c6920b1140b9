// Builds the package into dist/: the compiled sources, and beside them whatever they read at run time that is no source.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [src, dist] = [join(root, 'src'), join(root, 'dist')];

/** Folders of files that are read as they are: Redis scripts, the built status page. */
const readAsTheyAre = new Set(['scripts', 'static']);

// What was renamed must not live on in the package.
rmSync(dist, { recursive: true, force: true });
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { cwd: root, stdio: 'inherit' });
copyFrom('.');
chmodSync(join(dist, 'main.js'), 0o755);

function copyFrom(folder) {
  for (const entry of readdirSync(join(src, folder), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    if (readAsTheyAre.has(entry.name)) cpSync(join(src, path), join(dist, path), { recursive: true });
    else copyFrom(path);
  }
}
