import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { run } from '../real/run.ts';
import { at, documentsOf, fleetOf, listAt, ofKind, textAt } from './manifests.ts';
import { chart, helmRelease, helmTemplate, validate } from './render.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function values(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-values-'));
  directories.push(directory);
  const path = join(directory, 'values.yaml');
  writeFileSync(path, text);
  return path;
}

const everything = `
fleet:
  version: 1
  auth:
    keys: [{ tenant: team, key: "\${TEAM_KEY:-sk-x}", limits: { tokens_per_day: 50000000 } }]
  backends: [{ name: gpu-a, url: "http://10.0.0.11:8000", weight: 2.5 }]
  models: { "org/model": { aliases: [default] } }
  shared_state: { redis: "redis://redis:6379/0", replicas: 3 }
  server: { max_body: 64MiB }
drainTimeoutSeconds: 600
preStopSeconds: 15
env: [{ name: TEAM_KEY, valueFrom: { secretKeyRef: { name: keys, key: team } } }]
secrets: { gpu-a.token: abc }
image: { repository: registry.example.com/switchyard, digest: "sha256:${'a'.repeat(64)}", pullSecrets: [{ name: pull }] }
autoscaling: { enabled: false }
replicas: 3
ingress: { enabled: true, tlsSecret: llm-tls }
discovery: { enabled: true }
serviceMonitor: { enabled: true, labels: { release: prometheus } }
prometheusRule: { enabled: true }
dashboards: { enabled: true }
podLabels: { team: ml }
podAnnotations: { note: x }
nodeSelector: { kubernetes.io/os: linux }
tolerations: [{ key: cpu, operator: Exists }]
priorityClassName: high
`;

describe('the chart', () => {
  it('passes helm lint, also with everything on', async () => {
    const { helm } = inject('deployTools');
    for (const more of [[], ['--values', values(everything)]])
      expect(await run(helm, ['lint', '--strict', ...more, chart])).toContain('0 chart(s) failed');
  });

  it('with everything on fits the API of Kubernetes', async () => {
    const text = await helmTemplate('--values', values(everything));
    expect(await validate(text)).toBe('');
    const documents = documentsOf(text);
    const kinds = new Set(documents.map((one) => at(one, 'kind')));
    for (const kind of ['Ingress', 'Role', 'RoleBinding', 'ServiceMonitor', 'PrometheusRule'])
      expect(kinds).toContain(kind);
    expect(kinds).not.toContain('HorizontalPodAutoscaler');
    const pod = at(ofKind(documents, 'Deployment'), 'spec', 'template', 'spec');
    expect(at(pod, 'terminationGracePeriodSeconds')).toBe(625);
    expect(at(pod, 'containers', 0, 'image')).toBe(`registry.example.com/switchyard@sha256:${'a'.repeat(64)}`);
    const boards = documents.filter((one) => at(one, 'metadata', 'labels', 'grafana_dashboard') === '1');
    expect(boards).toHaveLength(readdirSync(join(chart, 'dashboards')).length);
    expect(boards.length).toBeGreaterThan(0);
  });

  it('passes the fleet on as it was written, numbers and variables included, and adds what depends on the chart', async () => {
    const documents = documentsOf(await helmTemplate('--values', values(everything)));
    const text = textAt(ofKind(documents, 'ConfigMap', 'switchyard-fleet'), 'data', 'fleet.yaml');
    expect(text).toContain('${TEAM_KEY:-sk-x}');
    const fleet = fleetOf(text);
    expect(fleet.server).toMatchObject({ maxBodyBytes: 64 * 2 ** 20, drainTimeoutMs: 600_000, metrics: false });
    expect(fleet.auth.keys[0]?.limits).toMatchObject({ tokensPerDay: 50_000_000 });
    expect(fleet.backends[0]).toMatchObject({ name: 'gpu-a', weight: 2.5 });
    expect(fleet.models.get('org/model')?.aliases).toEqual(['default']);
  });

  it('sends callers to /v1 alone, unbuffered, for as long as a request may take', async () => {
    const ingress = ofKind(documentsOf(await helmTemplate('--set', 'ingress.enabled=true')), 'Ingress');
    const paths = listAt(ingress, 'spec', 'rules', 0, 'http', 'paths');
    expect(paths.map((path) => [at(path, 'path'), at(path, 'backend', 'service', 'port', 'name')])).toEqual([
      ['/v1', 'http'],
    ]);
    expect(at(ingress, 'metadata', 'annotations')).toMatchObject({
      'nginx.ingress.kubernetes.io/proxy-buffering': 'off',
      'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
    });
  });

  it('makes an admin token, unless there is one', async () => {
    const made = ofKind(documentsOf(await helmTemplate()), 'Secret');
    expect(Buffer.from(textAt(made, 'data', 'admin.token'), 'base64').toString()).toMatch(/^[A-Za-z0-9]{40}$/);
    const given = ofKind(documentsOf(await helmTemplate('--set', 'secrets.admin\\.token=mine')), 'Secret');
    expect(at(given, 'data')).toEqual({ 'admin.token': Buffer.from('mine').toString('base64') });
    const documents = documentsOf(await helmTemplate('--set', 'existingSecret=ours'));
    expect(documents.filter((one) => at(one, 'kind') === 'Secret')).toEqual([]);
    expect(at(ofKind(documents, 'Deployment'), 'spec', 'template', 'spec', 'volumes', 1, 'secret', 'secretName')).toBe(
      'ours',
    );
  });

  it.each([
    ['a misspelt value', 'repilcas: 3', /repilcas/],
    ['a misspelt field of the fleet', 'fleet: { backends: [{ url: "http://a:1", wieght: 2 }] }', /wieght/],
    ['a fleet without backends', 'fleet: { backends: [] }', /backends/],
    ['the tag latest', 'image: { tag: latest }', /tag/],
    [
      'a drain timeout that the pods know nothing of',
      'fleet: { server: { drain_timeout: 900s } }',
      /set drainTimeoutSeconds/,
    ],
    ['an address of its own', 'fleet: { admin: { listen: "0.0.0.0:1" } }', /leave them out/],
    ['a window for which Kubernetes has no room', 'autoscaling: { scaleDownStabilizationSeconds: 7200 }', /scaleDown/],
  ])('refuses %s', async (_, text, message) => {
    await expect(helmTemplate('--values', values(text))).rejects.toThrow(message);
  });

  it('names its objects after the release', async () => {
    const documents = documentsOf(await helmRelease('prod'));
    expect(at(ofKind(documents, 'Service'), 'metadata', 'name')).toBe('prod-switchyard');
    const fleet = fleetOf(textAt(ofKind(documents, 'ConfigMap'), 'data', 'fleet.yaml'));
    expect(fleet.admin?.allowedHosts).toContain('prod-switchyard.switchyard.svc');
  });
});
