// The words that editors show for TLS and discovery.
import type { FieldWords } from './field-words.ts';

const tls: Readonly<Record<string, FieldWords>> = {
  tls: {
    says: 'TLS towards backends with https:// in their URL, where their certificate is not one that Node.js trusts by itself.',
  },
  'tls.ca_file': { says: 'Certificates that are trusted, PEM.', examples: ['/etc/switchyard/ca.pem'] },
  'tls.cert_file': { says: "The router's own certificate, PEM, where it is asked for one; with its key." },
  'tls.key_file': { says: 'The key of that certificate, PEM.', examples: ['/run/secrets/router.key'] },
  'tls.server_name': {
    says: 'The name in the certificate of the other side, where it is not the one connected to.',
    examples: ['gpu.internal'],
  },
  'server.tls': { says: 'https:// instead of http://; the files are read again when they change.' },
  'server.tls.cert_file': { says: 'Its certificate with its chain, PEM.', examples: ['/etc/switchyard/tls.crt'] },
  'server.tls.key_file': { says: 'The key of that certificate, PEM.', examples: ['/etc/switchyard/tls.key'] },
  'server.tls.client_ca_file': {
    says: 'Only who has a certificate of this CA gets in, PEM.',
    examples: ['/etc/switchyard/clients-ca.pem'],
  },
  'admin.tls': { says: 'https:// instead of http://; the files are read again when they change.' },
  'admin.tls.cert_file': { says: 'Its certificate with its chain, PEM.', examples: ['/etc/switchyard/tls.crt'] },
  'admin.tls.key_file': { says: 'The key of that certificate, PEM.', examples: ['/etc/switchyard/tls.key'] },
};

const discovery: Readonly<Record<string, FieldWords>> = {
  'backends.discover': {
    says: 'Backends that are found, in place of a url; they are called NAME/…, and all that is said here is said of each of them.',
  },
  'discover.dns': {
    says: 'A name: its SRV records where it begins with _, else every A and AAAA.',
    examples: ['_ollama._tcp.lab.internal', 'boxes.internal'],
  },
  'discover.port': { says: 'Of the addresses; SRV records have their own.', examples: [11434] },
  'discover.kubernetes': { says: 'The pods of a service, watched through the API server of the cluster.' },
  'kubernetes.service': { says: 'The name of the service.', examples: ['vllm'] },
  'kubernetes.namespace': { says: "Its namespace. Left out: the router's own.", examples: ['inference'] },
  'kubernetes.port': { says: 'The port of the pods: a number, or its name in the service.', examples: [8000, 'http'] },
  'discover.every': {
    says: 'How often it is asked; for Kubernetes, the longest pause before it is asked again after a failure.',
    default: '30s',
  },
};

export const fieldWordsOfNetworks: Readonly<Record<string, FieldWords>> = { ...tls, ...discovery };
