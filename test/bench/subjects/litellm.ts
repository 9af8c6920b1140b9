// LiteLLM's proxy: one worker, since one core is its own; a key, and no database.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelName } from '../load/content.ts';
import { peer } from './peer.ts';

const key = 'sk-bench-0123456789';

export const litellm = peer({
  name: 'LiteLLM',
  about: '1.106.12, one worker, its master key, errors only in the log, no database',
  advice: 'https://docs.litellm.ai/docs/proxy/prod',
  brought: { from: 'PyPI', package: 'litellm[proxy]==1.106.12' },
  launch({ port, dir, engines }) {
    const config = join(dir, 'config.yaml');
    writeFileSync(
      config,
      JSON.stringify({
        model_list: engines.map((engine) => ({
          model_name: modelName,
          litellm_params: { model: `hosted_vllm/${modelName}`, api_base: `${engine}/v1`, api_key: 'none' },
        })),
        general_settings: { master_key: key },
        litellm_settings: { request_timeout: 600, set_verbose: false, json_logs: true },
        router_settings: { routing_strategy: 'least-busy' },
      }),
    );
    return {
      program: 'bin/litellm',
      args: ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
      env: { LITELLM_MODE: 'PRODUCTION', LITELLM_LOG: 'ERROR', LITELLM_LOCAL_MODEL_COST_MAP: 'True' },
      headers: { authorization: `Bearer ${key}` },
    };
  },
});
