// What fields must agree on.
import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

const backends = (...entries: readonly string[]): string =>
  `version: 1\nbackends:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`;

describe('fields that contradict each other', () => {
  it.each([
    [
      backends('url: http://h:1', 'url: http://h:1/x'),
      'fleet.yaml:4:10: error: backends[0] has the name "h:1" too at backends[1].url (names are unique: give this one another name)',
    ],
    [
      backends('{ name: a, url: http://h:1/v1 }', '{ name: b, url: http://H:1/ }'),
      'fleet.yaml:4:21: error: backends[0] has the same url at backends[1].url (list a server once; use weight to send it more)',
    ],
    [
      backends('{ name: none, url: http://h:1 }'),
      'fleet.yaml:3:13: error: the name "none" is reserved at backends[0].name',
    ],
    [backends('{ engine: simulated }'), 'fleet.yaml:3:5: error: a simulated backend needs a name at backends[0]'],
    [
      backends('{ name: s, engine: simulated, url: http://h:1 }'),
      'fleet.yaml:3:40: error: a simulated backend has no url at backends[0].url (remove it, or name the engine that runs there)',
    ],
    [
      backends('{ name: s, engine: vllm }'),
      'fleet.yaml:3:5: error: url is required at backends[0] (only engine: simulated does without)',
    ],
    [
      backends('{ url: http://h:1, simulate: {} }'),
      'fleet.yaml:3:34: error: simulate is only for engine: simulated at backends[0].simulate',
    ],
    [
      backends('url: http://localhost:8000'),
      'fleet.yaml:3:10: error: this is the router itself at backends[0].url (change the port here or in server.listen)',
    ],
    [
      backends('url: "http://[::1]:9"'),
      'fleet.yaml:3:5: error: a name is required: none can be made of this url at backends[0]',
    ],
    [
      fleetWith('models: { m: { aliases: [n] }, n: {} }\n'),
      'fleet.yaml:4:26: error: this alias is already the model "n" at models.m.aliases[0] (an alias points to one model)',
    ],
    [
      fleetWith('models: { m: { aliases: [x] }, n: { aliases: [x] } }\n'),
      'fleet.yaml:4:47: error: this alias is already an alias of "m" at models.n.aliases[0] (an alias points to one model)',
    ],
    [
      `${backends('{ url: http://h:1, models: [x] }')}models: { m: { aliases: [x] } }\n`,
      'fleet.yaml:4:26: error: this alias is a model of its own: backends[0].models[0] at models.m.aliases[0] (an alias points to one model)',
    ],
    [
      fleetWith('models: { m: { backend_names: { b: x } } }\n'),
      'fleet.yaml:4:33: error: no backend has this name at models.m.backend_names (backends: a)',
    ],
    [
      fleetWith('server: { drain_timeout: 3s }\n'),
      'fleet.yaml:4:26: error: drain_delay (5000 ms) is above drain_timeout at server.drain_timeout (the delay is a part of the timeout)',
    ],
    [
      fleetWith('defaults: { timeouts: { gap: 2h } }\n'),
      'fleet.yaml:4:30: warning: gap is above total, so it never applies at defaults.timeouts.gap (make gap the smaller one)',
    ],
    [
      fleetWith('defaults: { stall_after: 3m, timeouts: { first_byte: 2m } }\n'),
      'fleet.yaml:4:26: warning: stall_after is above first_byte and gap, so it never applies at defaults.stall_after (make it the smallest)',
    ],
    [
      fleetWith('models: { m: { timeouts: { total: 10s } } }\n'),
      'fleet.yaml:4:35: warning: gap is above total, so it never applies at models.m.timeouts.total (make gap the smaller one)',
    ],
    [
      fleetWith('server: { listen: "0.0.0.0:9000" }\n'),
      'fleet.yaml:4:19: warning: others can reach this address, and no key is asked for at server.listen (set auth.mode: keys or API_KEYS, or listen on 127.0.0.1)',
    ],
    [
      fleetWith('auth: { mode: keys }\n'),
      'fleet.yaml:4:15: error: mode keys, but no keys are given at auth.mode (add keys, or set API_KEYS)',
    ],
  ])('%j', (text, problem) => {
    expect(said(text)).toEqual([problem]);
  });

  it('are allowed where nothing contradicts: keys for no model, a wildcard address with keys', () => {
    const text = fleetWith(
      'auth: { keys: [{ tenant: t, key: "${K}", models: [] }] }\nserver: { listen: "0.0.0.0:8000" }\n',
    );
    expect(said(text, { env: { K: 'k' } })).toEqual([]);
  });

  it('count the address in force, not the one in the file', () => {
    const text = backends('url: http://localhost:9000');
    expect(said(text)).toEqual([]);
    expect(said(text, { listen: '0.0.0.0:9000', env: { API_KEYS: 'k' } })).toHaveLength(1);
    expect(valid(text, { listen: '127.0.0.1:0' }).fleet.server.listen.port).toBe(0);
  });
});
