// `discover` as the schema read it → a group. The cross-checks have passed.
import type { Group } from '../fleet/discovery.ts';
import type { Backend } from '../fleet/fleet.ts';
import { everyMsDefault } from './defaults.ts';
import { present } from './present.ts';
import type { DiscoverEntry } from './schema-discover.ts';

/** `speaksTls`: its entry has `tls`, if only `tls: {}`. Absent where it says nowhere to look, which the cross-checks refuse. */
export function decodeGroup(
  { dns, port, kubernetes, every }: DiscoverEntry,
  { template, speaksTls }: { readonly template: Backend; readonly speaksTls: boolean },
): Group | undefined {
  const source =
    dns !== undefined
      ? { kind: 'dns' as const, name: dns, ...present({ port }) }
      : kubernetes && {
          kind: 'kubernetes' as const,
          service: kubernetes.service,
          port: kubernetes.port,
          ...present({ namespace: kubernetes.namespace }),
        };
  return (
    source && {
      name: template.name,
      template,
      scheme: speaksTls ? 'https' : 'http',
      source,
      everyMs: every ?? everyMsDefault,
    }
  );
}
