// Shepherd Model Gateway, which SGLang's router became: circuits, probes, metrics and keys.
import { peer } from './peer.ts';

const key = 'sk-bench-0123456789';

export const smg = peer({
  name: 'smg',
  about: '1.13.0, power of two, a key, circuits, metrics, warnings only in the log',
  advice: 'https://docs.sglang.io/advanced_features/sgl_model_gateway.html',
  brought: { from: 'PyPI', package: 'smg==1.13.0' },
  launch: ({ port, engines }) => ({
    program: 'bin/smg',
    args: [
      `launch --host 127.0.0.1 --port ${port} --worker-urls ${engines.join(' ')} --policy power_of_two --tenant-api-key bench:${key}`,
      `--log-level warn --worker-startup-check-interval 1 --prometheus-host 127.0.0.1 --prometheus-port ${port + 10_000}`,
    ].flatMap((line) => line.split(' ')),
    headers: { authorization: `Bearer ${key}` },
  }),
});
