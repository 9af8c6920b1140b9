// `switchyard version`: which release this is, which revision it was built from, and what runs it.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { below } from './help-text.ts';
import { print } from './print.ts';

export function versionCommand(): Command {
  return new Command('version')
    .description('print the version, the git revision of the build, and the Node.js that runs it')
    .option('--json', 'print them as JSON')
    .addHelpText('after', below({ examples: ['switchyard version --json'], exitCodes: { 0: 'printed' } }))
    .action(({ json }: { readonly json?: true }) => {
      const built = { version: version(), revision: revision() ?? null, node: process.version };
      print(
        json
          ? JSON.stringify(built, undefined, 2)
          : `switchyard ${built.version} (revision ${built.revision ?? 'unknown'}, node ${built.node})`,
      );
    });
}

/** Of this package, from its own package.json. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}

/** As the image says, or as deploy/revision.mjs has written it beside the build; undefined in a checkout, and where nobody knew it. */
export function revision(): string | undefined {
  const told = process.env['SWITCHYARD_REVISION'];
  if (told) return told;
  try {
    return readFileSync(new URL('../revision', import.meta.url), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
