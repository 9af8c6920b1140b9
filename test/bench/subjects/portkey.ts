// Portkey's gateway, as a server of its own. It has no keys, limits, circuits or access log of its own: a request says where it goes.
import { peer } from './peer.ts';

export const portkey = peer({
  name: 'Portkey',
  about: '1.15.2, without its page; it names the engine by headers',
  advice: 'https://portkey.ai/docs/integrations/llms/vllm',
  // With a newer one streams end in `TypeError: immutable` (its issue 1389).
  brought: { from: 'npm', package: '@portkey-ai/gateway@1.15.2', overrides: { '@hono/node-server': '1.13.8' } },
  launch: ({ port, engines: [engine = ''] }) => ({
    program: 'node',
    args: ['PACKAGE/node_modules/@portkey-ai/gateway/build/start-server.js', '--headless', `--port=${port}`],
    env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${engine}/v1`, authorization: 'Bearer none' },
  }),
});
