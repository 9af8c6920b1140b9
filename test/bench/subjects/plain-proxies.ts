// What moves bytes and does nothing else: no proxy at all, nginx, HAProxy, and the shortest relay one can write in Node.js.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { descriptors, Started } from '../processes.ts';
import { provide } from '../provide.ts';
import { chatPath, type Subject } from '../subject.ts';

export const direct: Subject = {
  name: 'direct',
  about: 'no proxy',
  start: ({ engines: [engine = ''] }) =>
    Promise.resolve({ url: engine + chatPath, headers: {}, stop: () => Promise.resolve() }),
};

export const nginx: Subject = {
  name: 'nginx',
  about: 'one worker, kept connections, unbuffered, access log to a file',
  install: () => provide('nginx', 'nginx'),
  async start({ engines, port, dir, cores }) {
    const servers = engines.map((url) => `server ${new URL(url).host};`).join(' ');
    const file = join(dir, 'nginx.conf');
    mkdirSync(join(dir, 'temp'), { recursive: true });
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((of) => `${of}_temp_path ${dir}/temp;`)
      .join(' ');
    writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${dir}/pid; error_log ${dir}/error.log;
# More than there are descriptors for: at fifteen sixteenths it would begin to close connections that wait for their answer.
events { worker_connections 65536; }
http {
  access_log ${dir}/access.log; ${temp} client_body_buffer_size 1m; client_max_body_size 32m;
  keepalive_requests 1000000;
  upstream engines { least_conn; ${servers} keepalive 512; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://engines; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_request_buffering off; proxy_read_timeout 3600s; } }
}
`,
    );
    const process = new Started({ command: 'nginx', args: ['-c', file, '-e', join(dir, 'error.log')], ...on(cores) });
    return { url: `http://127.0.0.1:${port}${chatPath}`, headers: {}, process, stop: () => process.stop() };
  },
};

export const haproxy: Subject = {
  name: 'HAProxy',
  about: 'one thread, leastconn, connections reused',
  install: () => provide('haproxy', 'haproxy'),
  async start({ engines, port, dir, cores }) {
    const servers = engines.map((url, n) => `  server e${n} ${new URL(url).host}`).join('\n');
    const file = join(dir, 'haproxy.cfg');
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn ${Math.floor((descriptors - 200) / 2)}
defaults
  mode http
  timeout connect 2s
  timeout client 3600s
  timeout server 3600s
  option http-keep-alive
frontend f
  bind 127.0.0.1:${port}
  default_backend engines
backend engines
  balance leastconn
  http-reuse always
${servers}
`,
    );
    const process = new Started({ command: 'haproxy', args: ['-db', '-f', file], ...on(cores) });
    return { url: `http://127.0.0.1:${port}${chatPath}`, headers: {}, process, stop: () => process.stop() };
  },
};

export const nodeRelay: Subject = {
  name: 'bare Node relay',
  about: 'node:http on both sides, an agent, piped',
  async start({ engines: [engine = ''], port, cores }) {
    const file = join(import.meta.dirname, '../load/relay.ts');
    const process = new Started({ command: 'node', args: [file, String(port), engine], ...on(cores) });
    return { url: `http://127.0.0.1:${port}${chatPath}`, headers: {}, process, stop: () => process.stop() };
  },
};

function on(cores: string | undefined): { readonly cores?: string } {
  return cores === undefined ? {} : { cores };
}
