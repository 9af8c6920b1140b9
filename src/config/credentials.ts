// Every credential of the fleet, from the file, from files beside it and from API_KEYS. Keys leave here as hashes only.
import { createHash } from 'node:crypto';
import { readAdminToken } from './admin.ts';
import { type Place, type Report, nowhere } from './diagnostics.ts';
import type { Env } from './interpolate.ts';
import { type RedisSecrets, readRedisSecrets } from './redis-secrets.ts';
import { createSecretReader, type SecretSources } from './secret-reader.ts';
import { readTlsFiles, type TlsFiles } from './tls-files.ts';
import { child, itemsAt, placeOf, textAt, type Tree } from './tree.ts';

export interface Credentials {
  readonly mode: 'none' | 'keys';
  /** By index in `auth.keys`; absent where the entry is wrong. */
  readonly keyHashes: readonly (string | undefined)[];
  /** Of API_KEYS. */
  readonly envKeyHashes: readonly string[];
  /** By index in `backends`. */
  readonly bearers: readonly (string | undefined)[];
  readonly redis: RedisSecrets;
  /** SHA-256, as the keys. */
  readonly adminTokenHash: string | undefined;
  readonly tls: TlsFiles;
  /** Contents of the files read, for the hash of the fleet. */
  readonly contents: readonly Buffer[];
}

export interface CredentialSources extends SecretSources {
  readonly env: Env;
  /** Unix milliseconds; left out: now. */
  readonly nowMs?: number;
}

export function readCredentials(root: Tree, sources: CredentialSources, report: Report): Credentials {
  const secrets = createSecretReader(sources, report);
  const keys = itemsAt(root, 'auth', 'keys');
  const keyHashes = keys.map((entry) => {
    const given = ['key', 'key_file', 'key_sha256'].filter((name) => child(entry, name) !== undefined);
    if (entry.kind === 'map' && given.length === 0)
      report.error(entry.place, 'a key without a key', 'give one of key, key_file, key_sha256');
    if (given.length > 1) report.error(entry.place, `${given.join(' and ')} exclude each other`, 'give one of them');
    const key = secrets.written(child(entry, 'key')) ?? secrets.inFile(child(entry, 'key_file'));
    return key === undefined ? textAt(entry, 'key_sha256')?.toLowerCase() : sha256(key);
  });
  const bearers = itemsAt(root, 'backends').map((entry) => {
    const [bearer, file] = [child(entry, 'auth', 'bearer'), child(entry, 'auth', 'bearer_file')];
    if (bearer && file) report.error(file.place, 'bearer and bearer_file exclude each other', 'give one of them');
    return secrets.written(bearer) ?? secrets.inFile(file);
  });
  const envKeyHashes = readApiKeys(sources.env, report);
  const mode = textAt(root, 'auth', 'mode') ?? (keys.length > 0 || envKeyHashes.length > 0 ? 'keys' : 'none');
  const credentials: Credentials = {
    mode: mode === 'none' ? mode : 'keys',
    keyHashes,
    envKeyHashes,
    bearers,
    redis: readRedisSecrets(root, secrets, report),
    adminTokenHash: readAdminToken(root, secrets, report),
    tls: readTlsFiles(root, { secrets, nowMs: sources.nowMs ?? Date.now() }, report),
    contents: secrets.contents(),
  };
  checkMode(root, { credentials, env: sources.env }, report);
  checkDuplicates(keys, credentials, report);
  return credentials;
}

function readApiKeys(env: Env, report: Report): readonly string[] {
  const value = env['API_KEYS'];
  if (value === undefined) return [];
  const keys = value
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
  const place = nowhere('API_KEYS');
  if (keys.length === 0) report.error(place, 'set, but without a key', 'unset it, or list keys with commas between');
  if (keys.some((key) => !/^[\x21-\x7e]+$/.test(key)))
    report.error(place, 'a key with spaces, control or non-ASCII characters');
  return [...new Set(keys.map(sha256))];
}

function checkMode(root: Tree, found: { readonly credentials: Credentials; readonly env: Env }, report: Report): void {
  const mode = child(root, 'auth', 'mode');
  const written = textAt(mode);
  const keys = itemsAt(root, 'auth', 'keys');
  if (mode === undefined || (written !== 'none' && written !== 'keys')) return;
  if (written === 'none' && keys.length > 0)
    report.error(mode.place, 'mode none, but keys are given', 'write mode: keys, or remove the keys');
  if (written === 'none' && found.env['API_KEYS'] !== undefined) {
    report.error(mode.place, 'mode none, but API_KEYS is set', 'write mode: keys, or unset API_KEYS');
  }
  if (written === 'keys' && keys.length === 0 && found.env['API_KEYS'] === undefined) {
    report.error(mode.place, 'mode keys, but no keys are given', 'add keys, or set API_KEYS');
  }
}

function checkDuplicates(keys: readonly Tree[], { keyHashes, envKeyHashes }: Credentials, report: Report): void {
  const seen = new Map<string, Place>(envKeyHashes.map((hash) => [hash, nowhere('API_KEYS')]));
  for (const [index, hash] of keyHashes.entries()) {
    if (hash === undefined) continue;
    const earlier = seen.get(hash);
    const where = earlier?.file ?? earlier?.path;
    if (earlier) report.error(placeOf(keys[index]), `the same key as ${where}`, 'a key belongs to one tenant');
    else seen.set(hash, placeOf(keys[index]));
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
