// What an examination means for people: a word for each column, what is wrong, and what to change. Pure.
import { isLoopback } from '../config/addresses.ts';
import type { Engine } from '../engines/engine.ts';
import { type EngineName, engines } from '../engines/index.ts';
import type { Backend } from '../fleet/fleet.ts';
import { describeTlsTrouble, tlsTroubleOf } from '../fleet/tls.ts';
import type { Reach } from '../upstream/reach.ts';
import type { Examined } from './examine-fleet.ts';

export interface Finding {
  /** Whether the router could use it as it is. */
  readonly isGood: boolean;
  /** `vllm 0.32.0`. */
  readonly engine: string;
  /** `ok`, or what is wrong in a word. */
  readonly health: string;
  /** What is wrong first, then advice. */
  readonly notes: readonly string[];
}

/** `path`: of the backend in the fleet file, such as `backends[0]`. */
export function findingOf(examined: Examined, path: string): Finding {
  const { backend, examination, generation, missing } = examined;
  const { engine, version, health, load, auth, isRouter } = examination;
  const shown = engine === undefined ? '-' : [engine, version].filter((word) => word !== undefined).join(' ');
  const unreachable = examination.reach && unreachableBecause(examination.reach, backend);
  if (unreachable !== undefined) return { isGood: false, engine: shown, ...unreachable };
  const wrong: string[] = [];
  const advice: string[] = [];
  if (examination.failure !== undefined) wrong.push(noAnswer(examination.failure, backend));
  else if (auth === 'refused') wrong.push(refused(backend, path));
  else if (engine === undefined && backend.engine === 'auto')
    wrong.push(`what answers there is no inference server that is known; set ${path}.engine if it is one`);
  if (engine !== undefined && isAnother(engine, backend))
    wrong.push(`${engine} answers there, and ${path}.engine says ${backend.engine}: change it, or the url`);
  else if (auth !== 'refused' && health !== undefined && health !== 'up')
    wrong.push(notWell(health, examination.healthStatus));
  if (missing.length > 0)
    wrong.push(`it has no ${listed(missing)}; it has ${listed((examination.models ?? []).map(({ id }) => id))}`);
  if (generation !== undefined && !generation.ok)
    wrong.push(`generating a token failed: ${generation.verdict}${status(generation.status)}`);
  if (auth === 'ok' && health === 'up' && examined.models.length === 0) wrong.push('it serves no model');
  const told = load === 'off' && engine !== undefined ? setupOf(engine)?.load : undefined;
  if (told !== undefined) advice.push(`${told} for routing by its load`);
  if (isRouter) advice.push('it is a Switchyard itself');
  if (backend.simulate !== undefined) advice.push('runs inside the router');
  if (backend.state !== 'enabled') advice.push(`${backend.state} in the fleet file`);
  const word = examination.failure ?? (health === undefined ? '-' : health === 'up' ? 'ok' : health);
  return { isGood: wrong.length === 0, engine: shown, health: word, notes: [...wrong, ...advice] };
}

function unreachableBecause(
  { host, port, dns, tcp, tls }: Reach,
  backend: Backend,
): Pick<Finding, 'health' | 'notes'> | undefined {
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (!dns.ok) return { health: 'no name', notes: [`the name ${host} can not be looked up (${dns.code})`] };
  if (tcp?.ok === false) {
    if (tcp.code === 'timeout')
      return { health: 'timeout', notes: [`no connection to ${at} in time; a firewall, or another address?`] };
    if (tcp.code !== 'ECONNREFUSED') return { health: 'no way', notes: [`no connection to ${at} (${tcp.code})`] };
    const hint = isLoopback(host) ? 'is it running?' : networkHint(backend, port);
    return { health: 'refused', notes: [`connection refused at ${at}; ${hint ?? 'is it running there?'}`] };
  }
  if (tls?.ok === false) return { health: 'tls', notes: [handshakeNote(tls.code, backend)] };
  return undefined;
}

function handshakeNote(code: string, { name }: Backend): string {
  const trouble = tlsTroubleOf(code);
  if (trouble !== undefined) return describeTlsTrouble(name, trouble);
  return code === 'timeout' ? 'no answer to its TLS handshake in time' : `its TLS handshake failed (${code})`;
}

/** By what the fleet file says runs there, or what usually has this port. */
function networkHint({ engine }: Backend, port: number): string | undefined {
  if (engine !== 'auto') return setupOf(engine)?.network;
  const usual = Object.values<Engine>(engines).filter(({ setup }) => setup?.ports.includes(port) === true);
  return usual.map(({ setup }) => setup?.network).find((hint) => hint !== undefined);
}

function setupOf(name: EngineName): Engine['setup'] {
  const engine: Engine = engines[name];
  return engine.setup;
}

/** Whoever wrote `openai` may mean anything that speaks its API. */
function isAnother(found: EngineName, { engine }: Backend): boolean {
  return engine !== 'auto' && engine !== 'openai' && engine !== found && found !== 'openai';
}

function noAnswer(failure: string, { url }: Backend): string {
  if (failure === 'timeout') return 'it takes connections and does not answer in time';
  return url?.startsWith('http:') === true
    ? 'what it answers is not HTTP; does it want https://?'
    : 'what it answers is not HTTP';
}

function refused({ bearer }: Backend, path: string): string {
  return bearer === undefined
    ? `it wants a token: set ${path}.auth.bearer_file`
    : `it refuses the token of ${path}.auth`;
}

function notWell(health: string, code: number | undefined): string {
  const words: Readonly<Record<string, string>> = {
    loading: 'it is loading its model',
    asleep: 'it is asleep; wake it up',
    misconfigured: 'it refuses to say how it is',
  };
  return words[health] ?? `it says that it is not well${status(code)}`;
}

function status(code: number | undefined): string {
  return code === undefined ? '' : ` (HTTP ${code})`;
}

const mostListed = 4;

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  const more = names.length - mostListed;
  // Names come from backends, and go to terminals.
  const shown = names.slice(0, mostListed).map((name) => name.replaceAll(/\p{Cc}/gu, ' '));
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
