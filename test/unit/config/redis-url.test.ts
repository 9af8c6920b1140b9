// The one URL that may hold a password.
import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

describe('a redis URL', () => {
  const text = fleetWith('shared_state:\n  redis: ${URL}\n');
  const plain = { database: 0, prefix: 'switchyard:', replicas: 1, onFailure: 'local' };
  const single = (host: string, port: number) => ({ servers: { kind: 'single', address: { host, port } } });

  it.each([
    ['redis://localhost', { ...plain, ...single('localhost', 6379) }],
    ['redis://localhost/', { ...plain, ...single('localhost', 6379) }],
    ['REDIS://10.0.0.1:7000/15', { ...plain, ...single('10.0.0.1', 7000), database: 15 }],
    ['redis://[::1]', { ...plain, ...single('::1', 6379) }],
    ['redis://[::1]:1/0', { ...plain, ...single('::1', 1) }],
    ['rediss://h:2', { ...plain, ...single('h', 2), tls: {} }],
    ['redis://me:p%40%2F%3A:x@h', { ...plain, ...single('h', 6379), username: 'me', password: 'p@/::x' }],
    ['redis://:pw@[fd00::1]/2', { ...plain, ...single('fd00::1', 6379), password: 'pw', database: 2 }],
  ])('%s is taken apart', (url, state) => {
    expect(valid(text, { env: { URL: url } }).fleet.sharedState).toEqual(state);
  });

  it.each([
    ['http://h', 'a URL that starts with neither redis:// nor rediss://'],
    ['h:6379', 'a URL that starts with neither redis:// nor rediss://'],
    ['redis://h?x=1', 'a URL with a query or a fragment'],
    ['redis://:p#w@h', 'a URL with a query or a fragment'],
    ['redis://:p/w@h', 'not a valid URL'],
    ['redis://:p@w@h', 'not a valid URL'],
    ['redis://h/x', 'not a valid URL'],
    ['redis://', 'a URL without a valid host and port'],
    ['redis://:6379', 'a URL without a valid host and port'],
    ['redis://h:', 'a URL without a valid host and port'],
    ['redis://h:0', 'a URL without a valid host and port'],
    ['redis://h:65536', 'a URL without a valid host and port'],
    ['redis://::1', 'a URL without a valid host and port'],
    ['redis://:%zz@h', 'a username or password with spaces, control or non-ASCII characters, or a stray %'],
    ['redis://:%0A@h', 'a username or password with spaces, control or non-ASCII characters, or a stray %'],
    ['redis://me@h', 'a username without a password'],
    ['redis://h/2147483648', 'a database above 2147483647'],
  ])('%s is refused, and not repeated', (url, problem) => {
    expect(said(text, { env: { URL: url } })).toEqual([
      `fleet.yaml:5:10: error: ${problem} at shared_state.redis (write redis://HOST:PORT/0 or redis://USER:PASSWORD@HOST:PORT/0; in a password, %XX for / ? # @ %)`,
    ]);
  });
});
