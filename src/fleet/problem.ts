// What is wrong with a backend in a few words for people: from codes and statuses, never from text that it sent.
import { tlsProblem, tlsTroubleOf } from './tls.ts';

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name server does not answer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'no route to network',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_HEADERS_OVERFLOW: 'headers too large',
  ETIMEDOUT: 'connection timed out',
  EMFILE: 'no file descriptors left',
};

/** `code`: what a socket or the HTTP parser has ended with. */
export function transportProblem(code: string): string {
  const trouble = tlsTroubleOf(code);
  const known = trouble === undefined ? words[code] : tlsProblem(trouble);
  if (known !== undefined) return known;
  if (code.startsWith('HPE_')) return 'does not speak HTTP';
  // Codes are words of Node and undici; anything else could be anything.
  return /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : 'connection broken';
}
