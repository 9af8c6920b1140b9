import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { at, documentsOf, entriesAt, fleetOf, listAt, ofKind, readFleet, textAt } from './manifests.ts';
import { root } from './places.ts';
import { helmTemplate, kustomize, validate } from './render.ts';

interface Rendering {
  readonly name: string;
  readonly render: () => Promise<string>;
  /** What the router says of its fleet file: only an example for production has keys. */
  readonly warnings: readonly string[];
}

const namesOfService = ['localhost', 'switchyard', 'switchyard.switchyard', 'switchyard.switchyard.svc'];
const noKeys = 'others can reach this address, and no key is asked for';
const renderings: readonly Rendering[] = [
  { name: 'Kustomize, production', render: () => kustomize('overlays/production'), warnings: [] },
  { name: 'Kustomize, demo', render: () => kustomize('overlays/demo'), warnings: [noKeys] },
  { name: 'Helm', render: () => helmTemplate(), warnings: [noKeys] },
];

describe.each(renderings)('$name', ({ render, warnings }) => {
  let text: string;
  let documents: readonly unknown[];
  let pod: unknown;
  let container: unknown;
  let fleetText: string;
  beforeAll(async () => {
    text = await render();
    documents = documentsOf(text);
    pod = at(ofKind(documents, 'Deployment', 'switchyard'), 'spec', 'template', 'spec');
    container = at(pod, 'containers', 0);
    fleetText = textAt(ofKind(documents, 'ConfigMap', 'switchyard-fleet'), 'data', 'fleet.yaml');
  });

  it('fits the API of Kubernetes, field by field', async () => {
    expect(await validate(text)).toBe('');
  });

  it('brings a fleet file that the router takes', () => {
    const loaded = readFleet(fleetText);
    const said = 'problems' in loaded ? loaded.problems : loaded.warnings;
    expect(said.map(({ message }) => message)).toEqual(warnings);
  });

  it('never kills a router while it drains', () => {
    const preStop = at(container, 'lifecycle', 'preStop', 'sleep', 'seconds');
    const graceMs = Number(at(pod, 'terminationGracePeriodSeconds')) * 1000;
    const { drainTimeoutMs } = fleetOf(fleetText).server;
    expect(graceMs).toBeGreaterThanOrEqual(Number(preStop) * 1000 + drainTimeoutMs + 10_000);
  });

  it('adds a router before it takes one away', () => {
    const strategy = at(ofKind(documents, 'Deployment', 'switchyard'), 'spec', 'strategy', 'rollingUpdate');
    expect(strategy).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(at(ofKind(documents, 'PodDisruptionBudget'), 'spec', 'maxUnavailable')).toBe(1);
  });

  it('restarts for the process alone and takes from service when it is not ready', () => {
    const paths = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) =>
      at(container, probe, 'httpGet', 'path'),
    );
    expect(paths).toEqual(['/livez', '/livez', '/readyz']);
  });

  it('listens on the ports it names', () => {
    const { server, admin } = fleetOf(fleetText);
    const ports = listAt(container, 'ports').map((port) => [at(port, 'name'), at(port, 'containerPort')]);
    expect(ports).toEqual([
      ['http', server.listen.port],
      ['admin', 9091],
    ]);
    expect(server.listen.host).toBe('0.0.0.0');
    // Whoever can reach the admin listener needs the token, and gets there by the name of the Service.
    const open = admin?.listen.host === '0.0.0.0' ? admin : undefined;
    expect(open === undefined || open.tokenSha256 !== undefined).toBe(true);
    expect(open?.allowedHosts ?? namesOfService).toEqual(namesOfService);
    const targets = listAt(ofKind(documents, 'Service', 'switchyard'), 'spec', 'ports').map((port) =>
      at(port, 'targetPort'),
    );
    expect(targets).toEqual(['http', 'admin']);
  });

  it('mounts directories, through which changes arrive, and restarts nothing for them', () => {
    expect(JSON.stringify(documents)).not.toMatch(/subPath|checksum/);
    const volumes = listAt(pod, 'volumes');
    expect(volumes.map((volume) => at(volume, 'configMap', 'name') ?? at(volume, 'secret', 'secretName'))).toEqual([
      'switchyard-fleet',
      'switchyard-secrets',
    ]);
    // Wider than 0640 the router warns of secrets.
    expect(at(volumes[1], 'secret', 'defaultMode')).toBe(0o440);
  });

  it('runs every container without rights, with bounds, and from a version', () => {
    const pods = documents.flatMap((one) =>
      at(one, 'kind') === 'Pod'
        ? [at(one, 'spec')]
        : at(one, 'kind') === 'Deployment'
          ? [at(one, 'spec', 'template', 'spec')]
          : [],
    );
    expect(pods.length).toBeGreaterThan(0);
    for (const spec of pods) {
      expect(at(spec, 'securityContext')).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(at(spec, 'automountServiceAccountToken')).toBe(false);
      for (const one of listAt(spec, 'containers')) {
        expect(at(one, 'securityContext')).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(at(one, 'resources', 'requests')).toMatchObject({ cpu: expect.anything(), memory: expect.anything() });
        expect(at(one, 'resources', 'limits', 'memory')).toBeDefined();
        expect(textAt(one, 'image')).toMatch(/:\d+\.\d+\.\d+$/);
      }
    }
  });

  it('selects its own pods, and of those only', () => {
    const deployment = ofKind(documents, 'Deployment', 'switchyard');
    const labels = at(deployment, 'spec', 'template', 'metadata', 'labels');
    const selectors = [
      at(deployment, 'spec', 'selector', 'matchLabels'),
      at(ofKind(documents, 'Service', 'switchyard'), 'spec', 'selector'),
      at(ofKind(documents, 'PodDisruptionBudget'), 'spec', 'selector', 'matchLabels'),
      at(ofKind(documents, 'NetworkPolicy'), 'spec', 'podSelector', 'matchLabels'),
      ...listAt(pod, 'topologySpreadConstraints').map((one) => at(one, 'labelSelector', 'matchLabels')),
    ];
    expect(selectors).toHaveLength(6);
    for (const selector of selectors) {
      expect(selector).toMatchObject({ 'app.kubernetes.io/name': 'switchyard' });
      expect(labels).toMatchObject(selector ?? {});
    }
  });
});

/** What a cluster does differently for it: not names of objects, and not labels. */
async function essentials(text: string): Promise<unknown> {
  const documents = documentsOf(text);
  const deployment = ofKind(documents, 'Deployment', 'switchyard');
  const { server, admin } = fleetOf(textAt(ofKind(documents, 'ConfigMap', 'switchyard-fleet'), 'data', 'fleet.yaml'));
  const container = entriesAt(deployment, 'spec', 'template', 'spec', 'containers', 0).filter(
    ([key]) => key !== 'image',
  );
  const pod = entriesAt(deployment, 'spec', 'template', 'spec').filter(
    ([key]) => key !== 'containers' && key !== 'topologySpreadConstraints',
  );
  const spread = listAt(deployment, 'spec', 'template', 'spec', 'topologySpreadConstraints').map((one) =>
    Object.fromEntries(entriesAt(one).filter(([key]) => key !== 'labelSelector')),
  );
  const budget = entriesAt(ofKind(documents, 'PodDisruptionBudget'), 'spec').filter(([key]) => key !== 'selector');
  const policy = entriesAt(ofKind(documents, 'NetworkPolicy'), 'spec').filter(([key]) => key !== 'podSelector');
  return {
    strategy: at(deployment, 'spec', 'strategy'),
    replicas: at(deployment, 'spec', 'replicas'),
    pod: Object.fromEntries(pod),
    container: Object.fromEntries(container),
    spread,
    budget: Object.fromEntries(budget),
    policy: Object.fromEntries(policy),
    scaling: at(ofKind(documents, 'HorizontalPodAutoscaler'), 'spec'),
    ports: at(ofKind(documents, 'Service', 'switchyard'), 'spec', 'ports'),
    account: at(ofKind(documents, 'ServiceAccount'), 'automountServiceAccountToken'),
    server,
    admin,
  };
}

describe('the chart and the overlay for production', () => {
  it('say the same', async () => {
    expect(await essentials(await helmTemplate())).toEqual(await essentials(await kustomize('overlays/production')));
  });
});

describe('the components', () => {
  async function withComponents(...names: readonly string[]): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-kustomize-'));
    try {
      cpSync(join(root, 'deploy/kubernetes'), folder, { recursive: true });
      const path = join(folder, 'overlays/production/kustomization.yaml');
      const added = `components:\n${names.map((name) => `  - ../../components/${name}\n`).join('')}`;
      writeFileSync(path, `${readFileSync(path, 'utf8')}${added}`);
      return await kustomize(join(folder, 'overlays/production'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it('for discovery let the routers read EndpointSlices, and nothing else', async () => {
    const text = await withComponents('discovery');
    expect(await validate(text)).toBe('');
    const documents = documentsOf(text);
    expect(at(ofKind(documents, 'Role'), 'rules')).toEqual([
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
    ]);
    expect(at(ofKind(documents, 'RoleBinding'), 'subjects')).toEqual([
      { kind: 'ServiceAccount', name: 'switchyard', namespace: 'switchyard' },
    ]);
    const pod = at(ofKind(documents, 'Deployment'), 'spec', 'template', 'spec');
    expect(at(pod, 'automountServiceAccountToken')).toBe(true);
  });

  it('for monitoring scrape the admin port and bring the rules', async () => {
    const documents = documentsOf(await withComponents('monitoring'));
    expect(at(ofKind(documents, 'ServiceMonitor'), 'spec', 'endpoints', 0, 'port')).toBe('admin');
    const rules: unknown = parse(readFileSync(join(root, 'deploy/prometheus/rules.yaml'), 'utf8'));
    expect(at(ofKind(documents, 'PrometheusRule'), 'spec', 'groups')).toEqual(at(rules, 'groups'));
  });
});
