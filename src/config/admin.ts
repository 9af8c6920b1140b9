// The admin listener of a fleet file: its token, what its fields must agree on, and what it comes to.
import { createHash } from 'node:crypto';
import type { Address, AdminSettings } from '../fleet/fleet.ts';
import { isLoopback, reaches } from './addresses.ts';
import { adminDefaults } from './defaults.ts';
import type { Report } from './diagnostics.ts';
import { present } from './present.ts';
import { type AdminEntry, parseAdminListen } from './schema-admin.ts';
import type { SecretReader } from './secret-reader.ts';
import { child, textAt, type Tree } from './tree.ts';

/** Hashed, 64 lower-case hex digits; absent: there is none. */
export function readAdminToken(root: Tree, secrets: SecretReader, report: Report): string | undefined {
  const [token, file] = [child(root, 'admin', 'token'), child(root, 'admin', 'token_file')];
  if (token && file) report.error(file.place, 'token and token_file exclude each other', 'give one of them');
  const found = secrets.written(token) ?? secrets.inFile(file);
  return found === undefined ? undefined : createHash('sha256').update(found).digest('hex');
}

/** After flags and environment; absent when it could not be read. */
export interface EffectiveListen {
  readonly server: Address | undefined;
  readonly admin: Address | 'off' | undefined;
}

export function checkAdmin(root: Tree, { server, admin }: EffectiveListen, report: Report): void {
  if (admin === undefined || admin === 'off') return;
  const { place } = child(root, 'admin', 'listen') ?? child(root, 'admin') ?? root;
  const hasToken = child(root, 'admin', 'token') !== undefined || child(root, 'admin', 'token_file') !== undefined;
  if (!isLoopback(admin.host) && !hasToken)
    report.error(
      place,
      'others can reach the admin address, and it has no token',
      'set admin.token_file, or listen on 127.0.0.1',
    );
  if (server !== undefined && reaches(admin, server))
    report.error(place, 'the admin address is the one of server.listen', 'give it another port');
}

/** What the fleet file says about the address; absent: nothing, or nothing that could be read. */
export function adminListenOf(root: Tree): Address | 'off' | undefined {
  const parsed = parseAdminListen(textAt(root, 'admin', 'listen') ?? '');
  return 'value' in parsed ? parsed.value : undefined;
}

/** `override`: of flags and environment. */
export function decodeAdmin(
  entry: AdminEntry | undefined,
  { tokenSha256, tls }: { readonly tokenSha256: string | undefined; readonly tls: AdminSettings['tls'] | undefined },
  override: Address | 'off' | undefined,
): AdminSettings | undefined {
  const chosen = override ?? entry?.listen;
  const listen = chosen ?? adminDefaults.listen;
  if (listen === 'off') return undefined;
  return {
    listen,
    isChosen: chosen !== undefined,
    allowedHosts: entry?.allowed_hosts ?? adminDefaults.allowedHosts,
    ...present({ tokenSha256, tls }),
  };
}
