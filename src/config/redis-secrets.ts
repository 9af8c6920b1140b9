// What `shared_state` keeps secret or in files of its own: passwords, certificates and their key.
import type { Report } from './diagnostics.ts';
import { present } from './present.ts';
import { parseRedisUrl } from './redis-url.ts';
import type { SecretReader } from './secret-reader.ts';
import { child, textAt, type Tree } from './tree.ts';

/** Passwords in the URL are not here: they come with it. */
export interface RedisSecrets {
  readonly password?: string;
  readonly sentinelPassword?: string;
  /** PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export function readRedisSecrets(root: Tree, secrets: SecretReader, report: Report): RedisSecrets {
  const state = child(root, 'shared_state');
  const url = child(state, 'redis');
  const parsed = parseRedisUrl(textAt(url) ?? '');
  if (url && 'value' in parsed && parsed.value.password !== undefined) secrets.warnWritten(url, 'password_file');
  const passwordOf = (owner: Tree | undefined): string | undefined => {
    const [password, file] = [child(owner, 'password'), child(owner, 'password_file')];
    if (password && file) report.error(file.place, 'password and password_file exclude each other', 'give one of them');
    return secrets.written(password) ?? secrets.inFile(file);
  };
  return present({
    password: passwordOf(state),
    sentinelPassword: passwordOf(child(state, 'sentinel')),
    ca: secrets.pem(child(state, 'tls', 'ca_file'), 'public'),
    cert: secrets.pem(child(state, 'tls', 'cert_file'), 'public'),
    key: secrets.pem(child(state, 'tls', 'key_file'), 'secret'),
  });
}
