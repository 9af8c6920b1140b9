// Where the running router listens for its operator, and with which token: flags, environment, fleet file, default.
import type { Command } from 'commander';
import { formatAddress } from '../config/addresses.ts';
import { parseAdminListen } from '../config/schema-admin.ts';
import { adminDefaults } from '../config/defaults.ts';
import { type AdminOfFile, readAdminOfFile, type TokenOfFile, tokenIn } from '../config/admin-of-file.ts';
import type { Env } from '../config/interpolate.ts';
import type { Address } from '../fleet/fleet.ts';

export interface AdminOptions {
  readonly config?: string;
  readonly admin?: string;
  readonly tokenFile?: string;
}

export interface AdminAddress {
  /** Without a slash at its end. */
  readonly url: string;
  /** Where the address stands, for messages: `admin.listen of fleet.yaml`. */
  readonly from: string;
}

export const defaultFile = 'fleet.yaml';

export function addAdminOptions(command: Command): Command {
  return command
    .option(
      '--admin <url>',
      'the admin listener of the router (SWITCHYARD_ADMIN; default: admin.listen of the fleet file)',
    )
    .option('-c, --config <file>', 'the fleet file of the router (SWITCHYARD_CONFIG; default: fleet.yaml)');
}

export function addTokenOption(command: Command): Command {
  return addAdminOptions(command).option(
    '--token-file <file>',
    'file with the admin token (SWITCHYARD_ADMIN_TOKEN is the token itself; default: that of the fleet file)',
  );
}

export function adminAddress(options: AdminOptions, env: Env): AdminAddress | { readonly problem: string } {
  if (options.admin !== undefined) return addressGiven(options.admin, '--admin');
  const named = env['SWITCHYARD_ADMIN'];
  if (named) return addressGiven(named, 'SWITCHYARD_ADMIN');
  // What a router that is started in this environment takes before its file.
  const override = env['SWITCHYARD_ADMIN_LISTEN'];
  if (override) {
    const parsed = parseAdminListen(override);
    if ('problem' in parsed) return { problem: `SWITCHYARD_ADMIN_LISTEN: ${parsed.problem}: ${parsed.hint}.` };
    return addressOf(parsed.value, 'SWITCHYARD_ADMIN_LISTEN');
  }
  const file = fileOf(options, env);
  if ('listen' in file) return addressOf(file.listen, `admin.listen of ${file.path}`, file.tls);
  return 'problem' in file ? file : addressOf(adminDefaults.listen, file.why, file.tls);
}

/** Absent: nobody says one. */
export function adminToken(options: AdminOptions, env: Env): TokenOfFile | undefined {
  const { tokenFile } = options;
  if (tokenFile !== undefined) {
    // A relative path starts where the command was called.
    const read = tokenIn(tokenFile, defaultFile);
    return 'problem' in read ? { problem: `--token-file: ${read.problem}` } : read;
  }
  const written = env['SWITCHYARD_ADMIN_TOKEN']?.trim();
  if (written) {
    if (/^[\x21-\x7e]+$/.test(written)) return { token: written };
    return { problem: 'SWITCHYARD_ADMIN_TOKEN: it holds spaces, control or non-ASCII characters' };
  }
  const { path } = chosenFile(options, env);
  const file = readAdminOfFile(path, env);
  const token = 'problem' in file ? undefined : file.token();
  return token !== undefined && 'problem' in token
    ? { problem: `the admin token of ${path}: ${token.problem}` }
    : token;
}

type ListenOfFile =
  | { readonly listen: Address | 'off'; readonly path: string; readonly tls: true | undefined }
  | { readonly why: string; readonly tls?: true | undefined }
  | { readonly problem: string };

function fileOf(options: AdminOptions, env: Env): ListenOfFile {
  const { path, isNamed } = chosenFile(options, env);
  const file: AdminOfFile | { readonly problem: string } = readAdminOfFile(path, env);
  if ('problem' in file) {
    if (isNamed)
      return { problem: `${path} does not tell where its router listens: ${file.problem}. --admin URL does.` };
    return { why: file.problem === 'no such file' ? 'the default' : `the default, because ${path} is ${file.problem}` };
  }
  const { adminListen, adminTls: tls } = file;
  return adminListen === undefined ? { why: 'the default', tls } : { listen: adminListen, path, tls };
}

export function chosenFile(options: AdminOptions, env: Env): { readonly path: string; readonly isNamed: boolean } {
  const named = options.config ?? (env['SWITCHYARD_CONFIG'] || undefined);
  return { path: named ?? defaultFile, isNamed: named !== undefined };
}

function addressGiven(text: string, from: string): AdminAddress | { readonly problem: string } {
  const hint = 'write http://HOST:PORT, such as http://127.0.0.1:9091.';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // What is written is not repeated: it may hold a password.
  if (url === undefined || !/^https?:$/.test(url.protocol)) return { problem: `${from}: not an address: ${hint}` };
  if (url.username !== '' || url.password !== '') return { problem: `${from}: credentials in a URL: ${hint}` };
  return { url: url.origin + url.pathname.replace(/\/+$/, ''), from };
}

function addressOf(listen: Address | 'off', from: string, tls?: true): AdminAddress | { readonly problem: string } {
  if (listen === 'off') return { problem: `The router has no admin listener (${from} is off): set an address there.` };
  if (listen.port === 0) return { problem: `${from} is any free port: tell which with --admin URL.` };
  return { url: urlOf(reachable(listen), tls), from };
}

/** `tls`: anything but undefined where it is spoken there. */
export function urlOf(address: Address, tls?: unknown): string {
  return `${tls === undefined ? 'http' : 'https'}://${formatAddress(address)}`;
}

/** An address that means all of them is asked on this machine. */
export function reachable({ host, port }: Address): Address {
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port };
}
