// vLLM's router: circuits, probes and metrics, but no keys for callers and no limits of a caller.
import { peer } from './peer.ts';

export const vllmRouter = peer({
  name: 'vllm-router',
  about: '0.1.17, power of two, circuits, metrics, warnings only in the log',
  advice: 'https://pypi.org/project/vllm-router/',
  brought: { from: 'PyPI', package: 'vllm-router==0.1.17' },
  launch: ({ port, engines }) => ({
    program: 'bin/vllm-router',
    args: [
      `--host 127.0.0.1 --port ${port} --worker-urls ${engines.join(' ')} --policy power_of_two`,
      `--log-level warning --worker-startup-check-interval 1 --prometheus-host 127.0.0.1 --prometheus-port ${port + 10_000}`,
    ].flatMap((line) => line.split(' ')),
  }),
});
