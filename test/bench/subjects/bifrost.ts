// Bifrost, with its configuration in a file and no store of logs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelName } from '../load/content.ts';
import { peer } from './peer.ts';

export const bifrost = peer({
  name: 'Bifrost',
  about: '1.5.10, configuration in a file, no store of logs',
  advice: 'https://docs.getbifrost.ai/providers/performance',
  brought: { from: 'Go', package: 'github.com/maximhq/bifrost/transports/bifrost-http@v1.5.10' },
  launch({ port, dir, engines: [engine = ''] }) {
    writeFileSync(
      join(dir, 'config.json'),
      JSON.stringify({
        client: { drop_excess_requests: false, enable_logging: false, initial_pool_size: 5_000 },
        providers: {
          vllm: {
            keys: [{ name: 'none', value: 'none', models: [modelName], weight: 1 }],
            network_config: { base_url: engine },
            concurrency_and_buffer_size: { concurrency: 1_000, buffer_size: 5_000 },
          },
        },
        config_store: { enabled: false },
      }),
    );
    return {
      program: 'bifrost-http',
      args: ['-host', '127.0.0.1', '-port', String(port), '-app-dir', dir, '-log-level', 'warn'],
    };
  },
});
