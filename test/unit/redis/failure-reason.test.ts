import { expect, it } from 'vitest';
import { failureReason, NoAnswerInTime } from '../../../src/redis/failure-reason.ts';

it.each([
  ["READONLY You can't write against a read only replica.", 'readonly'],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'readonly'],
  ['LOADING Redis is loading the dataset in memory', 'loading'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'full'],
  ['NOAUTH Authentication required.', 'access'],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'access'],
  ["NOPERM this user has no permissions to run the 'evalsha' command", 'access'],
  ["ERR The user executing the script can't run this command or subcommand script: abc", 'access'],
  ['self-signed certificate in certificate chain', 'tls'],
  ['All sentinels are unreachable and retry is disabled.', 'sentinel'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'other'],
  ['CLUSTERDOWN Hash slot not served', 'cluster'],
  ['Failed to refresh slots cache.', 'cluster'],
  ['Command timed out', 'timeout'],
  ['Connection is closed.', 'connection'],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'connection'],
  ['connect ECONNREFUSED 127.0.0.1:9', 'connection'],
  ['ERR something nobody has thought of', 'other'],
])('%s is %s', (message, reason) => {
  expect(failureReason(new Error(message))).toBe(reason);
});

it('knows our own deadline, and what is no error at all', () => {
  expect([failureReason(new NoAnswerInTime('x')), failureReason('thrown text')]).toEqual(['timeout', 'other']);
});
