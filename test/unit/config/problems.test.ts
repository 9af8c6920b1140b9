// What is said about a fleet file that is wrong: everything at once, each with its place.
import { describe, expect, it } from 'vitest';
import { printProblems } from '../../../src/config/diagnostics.ts';
import { fleetWith, load, said } from './support.ts';

describe('problems', () => {
  it('are all reported at once, in the order of the file, across shape and agreement', () => {
    expect(
      said(`version: 2
server: { wrokers: 1, drain_timeout: 20, max_body: 8MB }
backends:
  - name: a
    engine: vlm
    wieght: 2
    url: http://10.0.0.1:8000
  - name: a
    url: ftp://10.0.0.2
    weight: heavy
  - {}
routing: { policy: least-conections }
`),
    ).toEqual([
      'fleet.yaml:1:10: error: expected 1 at version (this is the only version there is)',
      'fleet.yaml:2:11: error: unknown key "wrokers" at server (did you mean "workers"?)',
      'fleet.yaml:2:38: error: expected text, found a number at server.drain_timeout (add a unit: 250ms, 20s, 5m, 1h)',
      'fleet.yaml:5:13: error: expected one of vllm, sglang, tgi, ollama, llamacpp, localai, openai, simulated, auto, found "vlm" at backends[0].engine (did you mean "vllm"?)',
      'fleet.yaml:6:5: error: unknown key "wieght" at backends[0] (did you mean "weight"?)',
      'fleet.yaml:8:11: error: backends[0] has the name "a" too at backends[1].name (names are unique: give this one another name)',
      'fleet.yaml:9:10: error: a URL that starts with neither http:// nor https:// at backends[1].url (write http://HOST:PORT)',
      'fleet.yaml:10:13: error: expected a number, found text at backends[1].weight',
      'fleet.yaml:11:5: error: url is required at backends[2] (only engine: simulated does without)',
      'fleet.yaml:12:20: error: expected one of least-connections, round-robin, two-choices, session, least-cost, found "least-conections" at routing.policy (did you mean "least-connections"?)',
    ]);
  });

  it.each([
    ['', 'fleet.yaml:1:1: error: the fleet file is empty (start with version: 1)'],
    ['- 1\n', 'fleet.yaml:1:1: error: a fleet file is a mapping (start with version: 1)'],
    ['version: 1\n', 'fleet.yaml:1:1: error: required at backends (a list of at least one - url: http://HOST:PORT)'],
    [
      'version: 1\nbackends:\n',
      'fleet.yaml:2:1: error: required at backends (a list of at least one - url: http://HOST:PORT)',
    ],
    ['version: 1\nbackends: []\n', 'fleet.yaml:2:11: error: needs at least one entry at backends'],
    [
      fleetWith('plugins: {}\n'),
      'fleet.yaml:4:1: error: unknown key "plugins" (known: version, server, admin, auth, defaults, backends, models, routing, shared_state, metrics, tracing, logging)',
    ],
    [
      fleetWith('wrokers:\n'),
      'fleet.yaml:4:1: error: unknown key "wrokers" (known: version, server, admin, auth, defaults, backends, models, routing, shared_state, metrics, tracing, logging)',
    ],
    [
      fleetWith('server: { workers: all }\n'),
      'fleet.yaml:4:20: error: expected a number from 1 to 128, or auto at server.workers',
    ],
    [
      fleetWith('server: { listen: 8000 }\n'),
      'fleet.yaml:4:19: error: expected text, found a number at server.listen (put it in quotes)',
    ],
    [
      fleetWith('server: { drain_delay: 5 sec }\n'),
      'fleet.yaml:4:24: error: a duration with an unknown unit at server.drain_delay (one of ms, s, m, h)',
    ],
    [
      fleetWith('server: { drain_delay: "5" }\n'),
      'fleet.yaml:4:24: error: a duration without a unit at server.drain_delay (add a unit: 250ms, 20s, 5m, 1h)',
    ],
    [
      fleetWith('server: { max_body: 32 }\n'),
      'fleet.yaml:4:21: error: expected text, found a number at server.max_body (add a unit: 512KiB, 8MiB, 1GB)',
    ],
    [
      fleetWith('server: { metrics: yes }\n'),
      'fleet.yaml:4:20: error: expected true or false, found text at server.metrics',
    ],
    [
      fleetWith('server: { forward_headers: [Authorization] }\n'),
      'fleet.yaml:4:29: error: this header is never passed on at server.forward_headers[0]',
    ],
    [
      fleetWith('defaults: { max_in_flight: 0 }\n'),
      'fleet.yaml:4:28: error: must be at least 1 at defaults.max_in_flight',
    ],
    [
      fleetWith('defaults: { max_in_flight: automatic }\n'),
      'fleet.yaml:4:28: error: expected a number or auto, found text at defaults.max_in_flight',
    ],
    [
      fleetWith('models: { "a b": {} }\n'),
      'fleet.yaml:4:18: error: expected a model name of at most 256 characters without spaces at models["a b"]',
    ],
    ['version: 1\nbackends: []\n', 'fleet.yaml:2:11: error: needs at least one entry at backends'],
    ['version: 1\nbackends: { length: {} }\n', 'fleet.yaml:2:11: error: expected a list, found a mapping at backends'],
    [
      fleetWith('auth: { keys: [{ tenant: t, key_file: { length: {} } }] }\n'),
      'fleet.yaml:4:39: error: expected text, found a mapping at auth.keys[0].key_file',
    ],
    [fleetWith('models: [a]\n'), 'fleet.yaml:4:9: error: expected a mapping, found a list at models'],
    [fleetWith('logging: {}\nlogging: {}\n'), 'fleet.yaml:5:1: error: duplicate key "logging" (it is on line 4 too)'],
    [
      fleetWith('auth: { keys: [{ tenant: t, key: "${K}", expires: 2027-02-31 }] }\n'),
      'fleet.yaml:4:51: error: expected a date at auth.keys[0].expires (write 2027-06-30 or 2027-06-30T12:00:00Z)',
    ],
  ])('%j', (text, problem) => {
    expect(said(text, { env: { K: 'k' } })).toEqual([problem]);
  });

  it.each([
    ['a: &x 1\nb: *x\n', ['fleet.yaml:1:4: error: anchors', 'fleet.yaml:2:4: error: aliases']],
    ['version: !!int "1"\n', ['fleet.yaml:1:10: error: tags']],
    ['%YAML 1.1\n---\nversion: 1\n', ['fleet.yaml:1:1: error: directives']],
    ['version: 1\n---\nversion: 1\n', ['fleet.yaml:2:1: error: more than one document']],
    ['version: "1\n', ['fleet.yaml:2:1: error: something is missing here']],
    ['version: 1\n\tbackends: []\n', ['fleet.yaml:2:1: error: a tab in the indentation']],
    ['__proto__: {}\nversion: 1\n', ['fleet.yaml:1:1: error: this cannot be a key']],
  ])('refuse YAML that no fleet needs: %j', (text, starts) => {
    const lines = said(text).join('\n');
    for (const start of starts) expect(lines).toContain(start);
  });

  it('are printed as JSON and as annotations of a workflow', () => {
    const loaded = load('version: 1\nbackends: 50%\n');
    const problems = 'problems' in loaded ? loaded.problems : [];
    expect(JSON.parse(printProblems(problems, 'json'))).toEqual([
      {
        file: 'fleet.yaml',
        line: 2,
        col: 11,
        severity: 'error',
        message: 'expected a list, found text',
        path: 'backends',
      },
    ]);
    const annotated = problems.map((problem) => ({ ...problem, file: 'a,b:c.yaml', message: '50%\nx' }));
    expect(printProblems(annotated, 'github')).toBe('::error file=a%2Cb%3Ac.yaml,line=2,col=11::50%25%0Ax at backends');
  });

  it('end after a hundred, with the number of the rest', () => {
    const lines = said(`version: 1\nbackends:\n${'  - { weight: 0, url: x }\n'.repeat(100)}`);
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toBe('fleet.yaml: error: 100 more problems');
  });
});
