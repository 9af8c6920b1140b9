// The version of this package, from its own package.json, and the revision of its sources, where its build has told.
import { readFileSync } from 'node:fs';

export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}

/** Set where it is built into an image. */
export function revision(): string {
  return process.env['SWITCHYARD_REVISION'] || 'unknown';
}
