import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

const adminOf = (more: string, given = {}) => valid(fleetWith(more), given).fleet.admin;
const token = 'a-token';
const tokenSha256 = createHash('sha256').update(token).digest('hex');

describe('the admin listener', () => {
  it('is on loopback unless said, and then nobody has chosen its port', () => {
    expect(adminOf('')).toEqual({
      listen: { host: '127.0.0.1', port: 9091 },
      isChosen: false,
      allowedHosts: ['localhost'],
    });
  });

  it('takes its address from the file, the environment and a flag, the last one first', () => {
    const file = 'admin: { listen: "127.0.0.1:1" }\n';
    const env = { SWITCHYARD_ADMIN_LISTEN: '127.0.0.1:2' };
    expect(adminOf(file)).toMatchObject({ listen: { port: 1 }, isChosen: true });
    expect(adminOf(file, { env })).toMatchObject({ listen: { port: 2 }, isChosen: true });
    expect(adminOf(file, { env, adminListen: '127.0.0.1:3' })).toMatchObject({ listen: { port: 3 } });
  });

  it('can be switched off', () => {
    expect(adminOf('admin: { listen: off }\n')).toBeUndefined();
    expect(adminOf('', { env: { SWITCHYARD_ADMIN_LISTEN: 'off' } })).toBeUndefined();
  });

  it('keeps the hash of its token, from a variable or a file, and its hosts in lower case', () => {
    const env = { T: token };
    expect(adminOf('admin: { token: "${T}", allowed_hosts: [Router.Internal] }\n', { env })).toMatchObject({
      tokenSha256,
      allowedHosts: ['router.internal'],
    });
    expect(adminOf('admin: { token_file: t }\n', { files: { t: `${token}\n` } })).toMatchObject({ tokenSha256 });
  });

  it('changes the hash of the fleet with the token in its file', () => {
    const hash = (t: string) => valid(fleetWith('admin: { token_file: t }\n'), { files: { t } }).hash;
    expect(hash('one')).not.toBe(hash('two'));
  });

  it('needs a token where others can reach it', () => {
    const open = 'fleet.yaml:4:18: error: others can reach the admin address, and it has no token at admin.listen';
    expect(said(fleetWith('admin: { listen: "0.0.0.0:9091" }\n'))).toEqual([expect.stringContaining(open)]);
    const env = { SWITCHYARD_ADMIN_LISTEN: '0.0.0.0:9091', T: token };
    expect(said(fleetWith(''), { env })).toEqual([expect.stringContaining('and it has no token')]);
    expect(said(fleetWith('admin: { token: "${T}" }\n'), { env })).toEqual([]);
    expect(said(fleetWith('admin: { listen: "localhost:9091" }\n'))).toEqual([]);
  });

  it.each([
    ['admin: { listen: "127.0.0.1:8000" }\n', 'the admin address is the one of server.listen'],
    ['admin: { token: "${T}", token_file: t }\n', 'token and token_file exclude each other'],
    ['admin: { token: plain }\n', 'a secret written into the fleet file'],
    ['admin: { listen: nowhere }\n', 'expected an address'],
    ['admin: { allowed_hosts: ["*"] }\n', 'expected the name of a host'],
  ])('is told what is wrong with %j', (more, problem) => {
    const lines = said(fleetWith(more), { env: { T: token }, files: { t: token } });
    expect(lines).toEqual([expect.stringContaining(problem)]);
  });

  it('never shows its token', () => {
    expect(said(fleetWith('admin: { token: "hush hush" }\n')).join()).not.toContain('hush');
  });
});
