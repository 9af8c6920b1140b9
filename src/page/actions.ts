// What the page can tell the router to do. Each needs the admin token, which stays in this tab and goes with it.
import { messageIn } from './feed.ts';

export type Command =
  | { readonly verb: 'drain' | 'undrain'; readonly backend: string; readonly inFlight: number }
  | { readonly verb: 'reload' };

export interface Outcome {
  readonly result: 'done' | 'failed' | 'wrong token';
  readonly text: string;
  readonly lines: readonly string[];
}

const kept = 'switchyard-admin-token';

export function readToken(): string | undefined {
  return sessionStorage.getItem(kept) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(kept, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(kept);
}

export function pathOf(command: Command): string {
  return command.verb === 'reload' ? 'reload' : `backends/${encodeURIComponent(command.backend)}/${command.verb}`;
}

export async function send(command: Command, token: string): Promise<Outcome> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(pathOf(command), { method: 'POST', headers });
    return outcomeOf(command, answer.status, await answer.json().catch(() => undefined));
  } catch {
    return { result: 'failed', text: `${command.verb}: no connection to the router`, lines: [] };
  }
}

export function outcomeOf(command: Command, status: number, body: unknown): Outcome {
  const said = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  if (status === 401) return { result: 'wrong token', text: 'The router does not know this token.', lines: [] };
  if (command.verb === 'reload' && 'result' in said) return reloadOutcome(said);
  if (status !== 200) {
    return { result: 'failed', text: `${command.verb}: HTTP ${status}${messageIn(body)}`, lines: [] };
  }
  const free = said['in_flight'] === 0 ? 'nothing in flight' : `${text(said['in_flight'])} in flight`;
  return { result: 'done', text: `${text(said['backend'])}: ${text(said['state'])}, ${free}`, lines: [] };
}

function reloadOutcome(said: Readonly<Record<string, unknown>>): Outcome {
  const config = text(said['config']);
  switch (said['result']) {
    case 'applied': {
      const restart = texts(said['needs_restart']).map((setting) => `${setting} needs a restart`);
      const lines = [...restart, ...texts(said['warnings'])];
      return { result: 'done', text: `reload: applied ${config}, ${text(said['changes'])}`, lines };
    }
    case 'unchanged':
      return { result: 'done', text: `reload: unchanged, ${config} runs already`, lines: [] };
    default:
      return { result: 'failed', text: `reload: refused, ${config} goes on`, lines: texts(said['problems']) };
  }
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : [];
}
