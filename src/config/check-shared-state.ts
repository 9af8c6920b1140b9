// Which fields of `shared_state` exclude or need each other.
import type { Report } from './diagnostics.ts';
import { parseRedisUrl } from './redis-url.ts';
import { child, textAt, type Tree } from './tree.ts';

export function checkSharedState(root: Tree, report: Report): void {
  const state = child(root, 'shared_state');
  if (state?.kind !== 'map') return;
  const kinds = ['redis', 'sentinel', 'cluster'].filter((kind) => child(state, kind) !== undefined);
  if (kinds.length === 0)
    report.error(state.place, 'shared state without a server', 'give one of redis, sentinel, cluster');
  if (kinds.length > 1) report.error(state.place, `${kinds.join(' and ')} exclude each other`, 'give one of them');
  if (!urlHasPassword(state, report)) checkUser(state, report);
  checkUser(child(state, 'sentinel'), report);
  const database = child(state, 'database');
  if (database?.kind === 'scalar' && child(state, 'cluster') && !database.broken && database.value !== 0)
    report.error(database.place, 'a cluster has only database 0', 'remove it');
  const [cert, key] = [child(state, 'tls', 'cert_file'), child(state, 'tls', 'key_file')];
  if (cert && !key) report.error(cert.place, 'cert_file without key_file', 'give both, or neither');
  if (key && !cert) report.error(key.place, 'key_file without cert_file', 'give both, or neither');
}

/** Then no field may have one. A username in the URL always comes with a password. */
function urlHasPassword(state: Tree, report: Report): boolean {
  const url = parseRedisUrl(textAt(state, 'redis') ?? '');
  if ('problem' in url) return false;
  const { password, database } = url.value;
  for (const name of ['username', 'password', 'password_file']) {
    const field = child(state, name);
    if (field && password !== undefined)
      report.error(field.place, `${name} beside a redis URL with a password in it`, 'give them in one place');
  }
  const field = child(state, 'database');
  if (field && database !== undefined)
    report.error(field.place, 'database beside a redis URL with a database in it', 'give it in one place');
  return password !== undefined;
}

function checkUser(owner: Tree | undefined, report: Report): void {
  const [username, password, file] = ['username', 'password', 'password_file'].map((name) => child(owner, name));
  if (username && !password && !file)
    report.error(username.place, 'a username without a password', 'give password or password_file too');
}
