// Entries of a fleet file whose backends are found at run time.
import { describe, expect, it } from 'vitest';
import { authoritiesOfTest } from '../../support/certificates.ts';
import { said, valid } from './support.ts';

const authority = authoritiesOfTest()();
const files = { 'ca.pem': authority.ca };
const withEntry = (entry: string, more = '') => `version: 1\nbackends:\n  - { name: lab, ${entry} }\n${more}`;
const groupOf = (entry: string, more = '') => valid(withEntry(entry, more), { files }).fleet.groups[0];

describe('an entry with discover', () => {
  it('is a group and no backend, with the settings of its entry and the defaults', () => {
    const entry = 'engine: ollama, weight: 2, discover: { dns: _ollama._tcp.lab.internal }';
    const { fleet } = valid(withEntry(entry, 'defaults: { max_in_flight: 3 }\n'));
    expect(fleet.backends).toEqual([]);
    expect(fleet.groups).toMatchObject([
      {
        name: 'lab',
        scheme: 'http',
        source: { kind: 'dns', name: '_ollama._tcp.lab.internal' },
        everyMs: 30_000,
        template: { name: 'lab', engine: 'ollama', weight: 2, maxInFlight: 3 },
      },
    ]);
  });

  it('takes addresses on a port, or the pods of a service', () => {
    expect(groupOf('discover: { dns: boxes.internal, port: 8000, every: 5s }')).toMatchObject({
      source: { kind: 'dns', name: 'boxes.internal', port: 8000 },
      everyMs: 5_000,
    });
    expect(groupOf('discover: { kubernetes: { service: ollama, port: http } }')?.source).toEqual({
      kind: 'kubernetes',
      service: 'ollama',
      port: 'http',
    });
    expect(groupOf('discover: { kubernetes: { service: o, namespace: lab, port: 80 } }')?.source).toEqual({
      kind: 'kubernetes',
      service: 'o',
      namespace: 'lab',
      port: 80,
    });
  });

  it('speaks TLS where it says something about it itself', () => {
    const dns = 'discover: { dns: _x._tcp.lab }';
    const shared = 'defaults: { tls: { ca_file: ca.pem } }\n';
    expect(groupOf(dns, shared)).toMatchObject({ scheme: 'http' });
    expect(groupOf(dns, shared)?.template.tls).toBeUndefined();
    expect(groupOf(`${dns}, tls: {}`)).toMatchObject({ scheme: 'https' });
    const both = groupOf(`${dns}, tls: { server_name: gpu.internal }`, shared);
    expect(both).toMatchObject({
      scheme: 'https',
      template: { tls: { ca: authority.ca, serverName: 'gpu.internal' } },
    });
  });

  it('may be named where a model has another name', () => {
    const models = 'models: { m: { backend_names: { lab: theirs } } }\n';
    expect(said(withEntry('discover: { dns: _x._tcp.lab }', models))).toEqual([]);
  });

  it.each([
    ['url: "http://h:1", discover: { dns: _x._tcp.lab }', 'url beside discover at backends[0].url'],
    ['engine: simulated, discover: { dns: _x._tcp.lab }', 'simulated backends cannot be found at backends[0].discover'],
    ['discover: {}', 'nowhere to look at backends[0].discover'],
    ['discover: { dns: a.b, port: 1, kubernetes: { service: s, port: 1 } }', 'dns and kubernetes exclude each other'],
    ['discover: { dns: a.b }', 'an address without a port at backends[0].discover.dns'],
    ['discover: { dns: _x._tcp.b, port: 1 }', 'a port that is told by what is found at backends[0].discover.port'],
    ['discover: { dns: "a b", port: 1 }', 'expected a name such as boxes.internal'],
    ['discover: { dns: a.b, port: 1, every: 10ms }', 'must be at least 1s at backends[0].discover.every'],
    ['discover: { dns: a.b, port: 1, every: 10 }', 'add a unit: 250ms, 20s, 5m, 1h'],
    ['discover: { kubernetes: { service: S, port: 1 } }', 'expected lower-case letters, digits and -'],
    ['discover: { kubernetes: { service: s } }', 'required at backends[0].discover.kubernetes.port'],
    ['discover: { kubernetes: { service: s, port: true } }', 'expected a number or the name of a port'],
    ['discover: { kubernetes: { service: s, port: http, dns: x } }', 'unknown key "dns"'],
  ])('with { %s } is told what is wrong', (entry, problem) => {
    expect(said(withEntry(entry))).toEqual([expect.stringContaining(problem)]);
  });

  it('needs a name', () => {
    const text = 'version: 1\nbackends: [{ discover: { dns: _x._tcp.lab } }]\n';
    expect(said(text)).toEqual([expect.stringContaining('a name is required at backends[0]')]);
  });
});
