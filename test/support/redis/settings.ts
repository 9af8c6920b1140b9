// What can be asked of a Redis of one test, and the configuration file that comes of it. Nothing here is newer than
// Redis 6, so that the packages of older distributions do.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';

export interface RedisOptions {
  /** A free one unless said. */
  readonly port?: number;
  /** Alone: `requirepass`. With a user: an ACL file in which only this one has a password, and the default user is off. */
  readonly auth?: { readonly password: string; readonly user?: AclUser };
  /** With a certificate authority of its own, see `caFile`; then it speaks nothing else. Not for replicas or clusters. */
  readonly tls?: boolean;
  /** Writes fail above it: nothing is evicted. */
  readonly maxMemoryBytes?: number;
  /** Must not be reached over TLS. */
  readonly replicaOf?: { readonly port: number; readonly password?: string | undefined };
  /** A node without slots that knows no other; see cluster.ts. */
  readonly cluster?: boolean;
  /** Runs as Sentinel with these lines, and without all the above but `port`; see sentinel.ts. */
  readonly sentinel?: readonly string[];
  /** Path; the provided redis-server unless said. */
  readonly binary?: string;
  /** Added at the end of the configuration file. */
  readonly lines?: readonly string[];
}

export interface AclUser {
  readonly name: string;
  /** As in an ACL file, without the password: `~switchyard:* +@all -@admin`. */
  readonly rules: string;
}

/** May do everything, so that a test can look into a server whose own user may not. */
const admin = 'admin-of-test';

/** Writes the files of a server; returns the path of its configuration. It may rewrite them itself (Sentinel does). */
export function writeSettings(dir: string, port: number, options: RedisOptions, tls: Certificates | undefined): string {
  const path = join(dir, 'redis.conf');
  const common = ['bind 127.0.0.1', `dir ${dir}`, 'logfile ""', ...(options.lines ?? [])];
  const lines =
    options.sentinel === undefined
      ? [...listening(port, tls), ...serving(dir, options), ...common]
      : [`port ${port}`, ...options.sentinel, ...common];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** What a client of the test itself logs in with. */
export function adminLogin({ auth }: RedisOptions): { username?: string; password?: string } {
  if (auth === undefined) return {};
  return auth.user === undefined ? { password: auth.password } : { username: admin, password: auth.password };
}

function listening(port: number, tls: Certificates | undefined): readonly string[] {
  if (tls === undefined) return [`port ${port}`];
  const { caFile, certFile, keyFile } = tls;
  const files = [`tls-ca-cert-file ${caFile}`, `tls-cert-file ${certFile}`, `tls-key-file ${keyFile}`];
  return ['port 0', `tls-port ${port}`, 'tls-auth-clients no', ...files];
}

function serving(dir: string, { auth, maxMemoryBytes, replicaOf, cluster = false }: RedisOptions): readonly string[] {
  const lines = ['save ""', 'appendonly no', 'repl-diskless-sync yes', 'repl-diskless-sync-delay 0'];
  if (auth !== undefined) lines.push(`masterauth ${auth.password}`);
  if (auth?.user !== undefined) lines.push(`aclfile ${writeUsers(dir, auth.password, auth.user)}`);
  else if (auth !== undefined) lines.push(`requirepass ${auth.password}`);
  if (maxMemoryBytes !== undefined) lines.push(`maxmemory ${maxMemoryBytes}`, 'maxmemory-policy noeviction');
  if (replicaOf !== undefined) lines.push(`replicaof 127.0.0.1 ${replicaOf.port}`);
  if (replicaOf?.password !== undefined) lines.push(`masterauth ${replicaOf.password}`);
  if (cluster) lines.push('cluster-enabled yes', 'cluster-node-timeout 1000', 'cluster-announce-ip 127.0.0.1');
  return lines;
}

function writeUsers(dir: string, password: string, { name, rules }: AclUser): string {
  const path = join(dir, 'users.acl');
  const users = ['default off', `${admin} on >${password} ~* &* +@all`, `${name} on >${password} ${rules}`];
  writeFileSync(path, users.map((user) => `user ${user}\n`).join(''));
  return path;
}
