// Olla, with the one of its two engines that is meant for load.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peer } from './peer.ts';

export const olla = peer({
  name: 'Olla',
  about: '0.1.0, engine olla, least connections, warnings only in the log',
  advice: 'https://thushan.github.io/olla/configuration/practices/performance/',
  brought: { from: 'Go', package: 'github.com/thushan/olla@v0.1.0' },
  launch({ port, dir, engines }) {
    const config = join(dir, 'config.yaml');
    const endpoints = engines.map((url, n) => ({ url, name: `engine-${n}`, type: 'vllm', priority: 100 }));
    writeFileSync(
      config,
      JSON.stringify({
        server: { host: '127.0.0.1', port, request_logging: false, rate_limits: { global_requests_per_minute: 0 } },
        proxy: { engine: 'olla', profile: 'streaming', load_balancer: 'least-connections' },
        discovery: { type: 'static', static: { endpoints } },
        logging: { level: 'warn', format: 'json' },
      }),
    );
    return { program: 'olla', args: ['--config', config], path: '/olla/openai/v1/chat/completions' };
  },
});
