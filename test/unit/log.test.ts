import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, GatewayError } from '../../src/errors.ts';
import type { LoggingSettings } from '../../src/fleet/fleet.ts';
import { logExchange } from '../../src/log.ts';

/** The levels of the lines that one exchange leaves. */
function linesOf(access: LoggingSettings['access'], code: ErrorCode | undefined): readonly number[] {
  const lines: number[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line).level) });
  const error = code === undefined ? undefined : new GatewayError(code, 'words', { cause: new Error('a bug') });
  logExchange(log, access, {
    requestId: 'id',
    endpoint: 'completions',
    tenant: 'default',
    model: 'm',
    backend: 'a',
    attempts: 1,
    outcome: error?.row.type ?? 'ok',
    error,
    status: error?.status ?? 200,
    stream: false,
    durationMs: 1,
    queuedMs: 0,
    firstTokenMs: undefined,
    usage: undefined,
    contentEvents: 0,
    limitsDegraded: false,
  });
  return lines;
}

const [info, warn, error] = [30, 40, 50];

describe('the access log', () => {
  it.each([
    ['all', undefined, [info]],
    ['all', 'no_backend', [warn]],
    ['errors', undefined, []],
    ['errors', 'rate_limit_exceeded', [info]],
    ['none', undefined, []],
    ['none', 'no_backend', []],
  ] as const)('that is to have "%s" gets of an exchange that ended with %s: %j', (access, code, levels) => {
    expect(linesOf(access, code)).toEqual(levels);
  });

  it.each(['all', 'errors', 'none'] as const)('tells of a bug of ours though it is to have "%s"', (access) => {
    expect(linesOf(access, 'internal')).toEqual([error]);
  });
});
