// TLS as the fleet file wants it, and what goes wrong with it on the way to a backend, in words. Pure: PEM is text here, and
// a failure is the code that it came with, never what the other side has sent.

/** Towards a backend. */
export interface BackendTls {
  /** PEM, in place of the CAs that Node trusts. */
  readonly ca?: string;
  /** PEM, for backends that ask who connects; both or neither. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that its certificate must have, where that is not the one in the URL. */
  readonly serverName?: string;
  /** SHA-256 over all of it: another one means connections of their own. */
  readonly fingerprint: string;
}

/** Of a port that speaks TLS. */
export interface ServerTls {
  /** PEM; further certificates may follow the first one. */
  readonly cert: string;
  readonly key: string;
  /** PEM; given: whoever connects needs a certificate of these CAs. */
  readonly clientCa?: string;
  /** Unix milliseconds. */
  readonly expiresAtMs: number;
}

/** What is wrong, as a word of metrics and logs: in short, and what of a backend it says. */
const troubles = {
  tls_untrusted: {
    short: 'certificate not trusted',
    says: 'has a certificate that is not trusted',
    advice: 'set tls.ca_file',
  },
  tls_name: {
    short: 'certificate for another name',
    says: 'has a certificate for another name',
    advice: 'set tls.server_name, or correct its URL',
  },
  tls_expired: {
    short: 'certificate expired or not valid yet',
    says: 'has a certificate that has expired or is not valid yet',
    advice: 'renew it there',
  },
  tls_client_required: {
    short: 'asks for a client certificate',
    says: 'asks for a client certificate',
    advice: 'set tls.cert_file and tls.key_file',
  },
  tls_client_refused: {
    short: 'refuses our client certificate',
    says: 'refuses the client certificate of the router',
    advice: 'see tls.cert_file',
  },
  tls_handshake: {
    short: 'no TLS handshake',
    says: 'and the router agreed on no TLS handshake',
    advice: 'it may want a client certificate (tls.cert_file), or not speak TLS 1.2',
  },
  tls_none: {
    short: 'does not speak TLS',
    says: 'does not speak TLS',
    advice: 'write http:// in its URL, or another port',
  },
} as const;

export type TlsTrouble = keyof typeof troubles;

/** What Node calls what it finds in a certificate: X509_V_ERR_* without the prefix, and one of its own. */
const codes: Readonly<Record<string, TlsTrouble>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_untrusted',
  CERT_SIGNATURE_FAILURE: 'tls_untrusted',
  CERT_UNTRUSTED: 'tls_untrusted',
  CERT_REJECTED: 'tls_untrusted',
  CERT_REVOKED: 'tls_untrusted',
  CERT_CHAIN_TOO_LONG: 'tls_untrusted',
  PATH_LENGTH_EXCEEDED: 'tls_untrusted',
  INVALID_CA: 'tls_untrusted',
  INVALID_PURPOSE: 'tls_untrusted',
  HOSTNAME_MISMATCH: 'tls_name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_name',
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_expired',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls_handshake',
  ERR_SSL_WRONG_VERSION_NUMBER: 'tls_none',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'tls_none',
  ERR_SSL_HTTP_REQUEST: 'tls_none',
};

/** What the other side finds (RFC 8446, 6.2), by the end of OpenSSL's code for it: the rest of it differs between its versions. */
const alerts: Readonly<Record<string, TlsTrouble>> = {
  CERTIFICATE_REQUIRED: 'tls_client_required',
  UNKNOWN_CA: 'tls_client_refused',
  ACCESS_DENIED: 'tls_client_refused',
  DECRYPT_ERROR: 'tls_client_refused',
  BAD_CERTIFICATE: 'tls_client_refused',
  UNSUPPORTED_CERTIFICATE: 'tls_client_refused',
  CERTIFICATE_REVOKED: 'tls_client_refused',
  CERTIFICATE_EXPIRED: 'tls_client_refused',
  CERTIFICATE_UNKNOWN: 'tls_client_refused',
  HANDSHAKE_FAILURE: 'tls_handshake',
  PROTOCOL_VERSION: 'tls_handshake',
};

/** Absent where the failure has nothing to do with TLS. */
export function tlsTroubleOf(code: string): TlsTrouble | undefined {
  if (Object.hasOwn(codes, code)) return codes[code];
  const [, alert = ''] = /^ERR_SSL_\S+_ALERT_([A-Z_]+)$/.exec(code) ?? [];
  return Object.hasOwn(alerts, alert) ? alerts[alert] : undefined;
}

export function isTlsTrouble(word: string): word is TlsTrouble {
  return Object.hasOwn(troubles, word);
}

export function tlsProblem(trouble: TlsTrouble): string {
  return troubles[trouble].short;
}

/** `Backend "gpu-a" has a certificate that is not trusted: set tls.ca_file` */
export function describeTlsTrouble(backend: string, trouble: TlsTrouble): string {
  const { says, advice } = troubles[trouble];
  return `Backend "${backend}" ${says}: ${advice}`;
}
