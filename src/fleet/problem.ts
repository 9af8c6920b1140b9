// What is wrong with a backend in a few words for people: from codes and statuses, never from text that it sent.

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
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate of an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate of an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate of an unknown authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate for another name',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does not speak TLS',
};

/** `code`: what a socket or the HTTP parser has ended with. */
export function transportProblem(code: string): string {
  const known = words[code];
  if (known !== undefined) return known;
  if (code.startsWith('HPE_')) return 'does not speak HTTP';
  // Codes are words of Node and undici; anything else could be anything.
  return /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : 'connection broken';
}
