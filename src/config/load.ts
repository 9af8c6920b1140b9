// Text on disk → a frozen Fleet, or every problem there is. Synchronous, never throws, changes nothing.
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Fleet } from '../fleet/fleet.ts';
import { parseListen, type Parsed } from './addresses.ts';
import { adminListenOf, checkAdmin } from './admin.ts';
import { readCredentials } from './credentials.ts';
import { crossCheck } from './cross-checks.ts';
import { decode, type Overrides } from './decode.ts';
import { serverDefaults } from './defaults.ts';
import { createReport, didYouMean, nowhere, type Problem, type Report } from './diagnostics.ts';
import { explain } from './explain.ts';
import type { Env } from './interpolate.ts';
import { plain } from './leaves.ts';
import { mostBytes, parseTree } from './parse.ts';
import { parseAdminListen } from './schema-admin.ts';
import { fleetSchema, logLevels } from './schema.ts';
import { type ReadFile, readBounded, reason } from './secrets.ts';
import { textAt, type Tree } from './tree.ts';

export interface FleetSource {
  /** Of the fleet file; `*_file` paths in it start at its directory. */
  readonly path: string;
  /** The file's text where it does not come from `path`, such as from standard input. */
  readonly text?: string;
  readonly env: Env;
  /** Flags; they win over the environment, which wins over the file. */
  readonly listen?: string;
  /** An address, or `off`. */
  readonly adminListen?: string;
  readonly logLevel?: string;
  /** Unix milliseconds, against which `expires` of keys is held; left out: now. */
  readonly nowMs?: number;
  /** For tests; reads the fleet file and `*_file` secrets. */
  readonly readFile?: ReadFile;
}

export interface LoadedFleet {
  readonly fleet: Fleet;
  readonly warnings: readonly Problem[];
  /** SHA-256 over the file and the secrets it reads: differs when a reload would. */
  readonly hash: string;
}

/** Errors, and the warnings beside them. */
export interface RefusedFleet {
  readonly problems: readonly Problem[];
}

export function loadFleet(source: FleetSource): LoadedFleet | RefusedFleet {
  const report = createReport(source.path);
  const text = source.text ?? readText(source, report);
  const root = text === undefined ? undefined : parseTree(text, source.env, report);
  const loaded = text === undefined || !root ? undefined : build(root, { source, text }, report);
  return loaded && !report.failed() ? { ...loaded, warnings: report.problems() } : { problems: report.problems() };
}

/** A fleet without a file: what `serve --backend URL …` serves. */
export function fleetFromUrls(
  urls: readonly string[],
  source: Omit<FleetSource, 'path' | 'text' | 'readFile'>,
): LoadedFleet | RefusedFleet {
  // JSON is YAML. A URL is not expanded: the shell has done that.
  const backends = urls.map((url) => ({ url: url.replaceAll('${', () => '$${') }));
  const loaded = loadFleet({ ...source, path: '--backend', text: JSON.stringify({ version: 1, backends }) });
  if ('problems' in loaded) return { problems: loaded.problems.map(unplaced) };
  return { ...loaded, warnings: loaded.warnings.map(unplaced) };
}

function unplaced(problem: Problem): Problem {
  return { ...problem, line: 0, col: 0 };
}

function readText({ path, readFile = readBounded }: FleetSource, report: Report): string | undefined {
  try {
    const { bytes } = readFile(path, mostBytes);
    if (bytes.length > mostBytes) report.error(nowhere(path), 'the file is larger than 1 MiB');
    else if (isUtf8(bytes)) return bytes.toString('utf8');
    else report.error(nowhere(path), 'the fleet file is not UTF-8 text');
  } catch (thrown) {
    report.error(nowhere(path), `cannot read the fleet file: ${reason(thrown)}`);
  }
  return undefined;
}

function build(
  root: Tree,
  { source, text }: { readonly source: FleetSource; readonly text: string },
  report: Report,
): Omit<LoadedFleet, 'warnings'> | undefined {
  if (root.kind !== 'map') {
    const isEmpty = root.kind === 'scalar' && root.value === null;
    report.error(
      root.place,
      isEmpty ? 'the fleet file is empty' : 'a fleet file is a mapping',
      'start with version: 1',
    );
    return undefined;
  }
  const parsed = fleetSchema.safeParse(plain(root));
  for (const issue of parsed.error?.issues ?? []) explain(issue, root, report);
  const overrides = readOverrides(source, report);
  const credentials = readCredentials(root, source, report);
  const { nowMs = Date.now() } = source;
  const listen = overrides.listen ?? listenOf(root);
  crossCheck(root, { listen, auth: credentials, nowMs }, report);
  checkAdmin(root, { server: listen, admin: overrides.adminListen ?? adminListenOf(root) }, report);
  if (!parsed.success || report.failed()) return undefined;
  const hash = createHash('sha256').update(text);
  for (const content of credentials.contents) hash.update('\0').update(content);
  return { fleet: decode(parsed.data, credentials, overrides), hash: hash.digest('hex') };
}

function listenOf(root: Tree): Overrides['listen'] {
  const written = textAt(root, 'server', 'listen');
  if (written === undefined) return serverDefaults.listen;
  const parsed = parseListen(written);
  return 'value' in parsed ? parsed.value : undefined;
}

function readOverrides({ env, listen, adminListen, logLevel }: FleetSource, report: Report): Overrides {
  const read = (
    flag: readonly [string, string | undefined],
    name: string,
  ): readonly [place: string, value: string] | undefined => {
    const value = flag[1] ?? env[name];
    return value === undefined || value === '' ? undefined : [flag[1] === undefined ? name : flag[0], value];
  };
  const overrides: { -readonly [Name in keyof Overrides]: Overrides[Name] } = {};
  const readAs = <Value>(
    given: readonly [place: string, value: string] | undefined,
    parse: (written: string) => Parsed<Value>,
  ): Value | undefined => {
    if (given === undefined) return undefined;
    const parsed = parse(given[1]);
    if ('value' in parsed) return parsed.value;
    report.error(nowhere(given[0]), parsed.problem, parsed.hint);
    return undefined;
  };
  const address = readAs(read(['--listen', listen], 'SWITCHYARD_LISTEN'), parseListen);
  if (address !== undefined) overrides.listen = address;
  const admin = readAs(read(['--admin-listen', adminListen], 'SWITCHYARD_ADMIN_LISTEN'), parseAdminListen);
  if (admin !== undefined) overrides.adminListen = admin;
  const word = read(['--log-level', logLevel], 'SWITCHYARD_LOG_LEVEL');
  const level = logLevels.find((known) => known === word?.[1]);
  if (level !== undefined) overrides.level = level;
  else if (word) {
    const meant = didYouMean(word[1], logLevels);
    report.error(
      nowhere(word[0]),
      `expected one of ${logLevels.join(', ')}`,
      meant === undefined ? undefined : `did you mean "${meant}"?`,
    );
  }
  return overrides;
}
