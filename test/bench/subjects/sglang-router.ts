// SGLang's router: it has circuits, probes and metrics, but no keys for callers and no limits of a caller.
import { peer } from './peer.ts';

export const sglangRouter = peer({
  name: 'sglang-router',
  about: '0.3.2, power of two, circuits, metrics, warnings only in the log',
  advice: 'https://docs.sglang.io/advanced_features/sgl_model_gateway.html',
  brought: { from: 'PyPI', package: 'sglang-router==0.3.2' },
  launch: ({ port, engines }) => ({
    program: 'bin/sglang-router',
    args: [
      `launch --host 127.0.0.1 --port ${port} --worker-urls ${engines.join(' ')} --policy power_of_two`,
      `--log-level warn --worker-startup-check-interval 1 --prometheus-host 127.0.0.1 --prometheus-port ${port + 10_000}`,
    ].flatMap((line) => line.split(' ')),
  }),
});
