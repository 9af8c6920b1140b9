// `${VAR}` in values.
import { describe, expect, it } from 'vitest';
import { fleetWith, said, valid } from './support.ts';

const url = (value: string): string => `version: 1\nbackends:\n  - url: ${value}\n`;

describe('a variable in a value', () => {
  it('is expanded, with a default where it is unset or empty', () => {
    expect(valid(url('http://${H}:${P:-80}0'), { env: { H: 'box' } }).fleet.backends[0]?.url).toBe('http://box:800');
    expect(valid(url('http://${H:-x}:1'), { env: { H: '' } }).fleet.backends[0]?.url).toBe('http://x:1');
  });

  it('takes the type its field has', () => {
    const text =
      'version: 1\nbackends:\n  - name: ${N:-42}\n    url: http://h:1\n    weight: ${W}\nserver: { metrics: "${M:-false}" }\n';
    expect(said(text, { env: { W: '2.5' } })).toEqual([
      'fleet.yaml:6:20: error: expected true or false, found text at server.metrics',
    ]);
    const { fleet } = valid(text.replace('"${M:-false}"', 'true'), { env: { W: '2.5' } });
    expect(fleet.backends[0]).toMatchObject({ name: '42', weight: 2.5 });
  });

  it('cannot change the structure, and is not read again', () => {
    const { fleet } = valid('version: 1\nbackends:\n  - { name: a, url: "http://h:1", auth: { bearer: "${B}" } }\n', {
      env: { B: 'x:#"]}${HOME}' },
    });
    expect(fleet.backends[0]?.bearer).toBe('x:#"]}${HOME}');
  });

  it('that is empty by its default counts as left out', () => {
    expect(valid(url('http://h:1\n    auth: { bearer: "${B:-}" }')).fleet.backends[0]?.bearer).toBeUndefined();
  });

  it('is not one after $$, nor in a key', () => {
    const { fleet } = valid(fleetWith('models: { "${K}": { aliases: ["$${A}"] } }\n'));
    expect([...fleet.models].map(([name, model]) => [name, model.aliases])).toEqual([['${K}', ['${A}']]]);
  });

  it.each([
    [
      '${NOPE}',
      'fleet.yaml:3:10: error: environment variable NOPE is not set at backends[0].url (set it, or write ${NOPE:-default})',
    ],
    [
      '${EMPTY}',
      'fleet.yaml:3:10: error: environment variable EMPTY is empty at backends[0].url (set it, or write ${EMPTY:-default})',
    ],
    [
      '${no pe}',
      'fleet.yaml:3:10: error: malformed ${…} at backends[0].url (write ${NAME} or ${NAME:-default}; $${ for a literal ${)',
    ],
    [
      'x${A',
      'fleet.yaml:3:10: error: malformed ${…} at backends[0].url (write ${NAME} or ${NAME:-default}; $${ for a literal ${)',
    ],
    [
      '${toString}',
      'fleet.yaml:3:10: error: environment variable toString is not set at backends[0].url (set it, or write ${toString:-default})',
    ],
  ])('that is wrong is said once, where it stands: %s', (value, problem) => {
    expect(said(url(value), { env: { EMPTY: '' } })).toEqual([problem]);
  });

  it('needs quotes inside brackets, and a file without them says so', () => {
    expect(said('version: 1\nbackends: [{ url: ${U} }]\n', { env: { U: 'http://h:1' } }).join('\n')).toContain(
      'needs quotes',
    );
  });
});
