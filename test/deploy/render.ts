// The two ways in which the manifests come about, and the schema check for both.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { run } from '../real/run.ts';
import { documentsOf } from './manifests.ts';
import { places, root } from './places.ts';

export const chart = join(root, 'deploy/helm/switchyard');
/** Without a cluster Helm takes the version it was built with. */
const kubernetes = ['--kube-version', '1.34.0'];

export async function kustomize(folder: string): Promise<string> {
  const [program, ...args] = inject('deployTools').kustomize;
  return run(program, [...args, folder.startsWith('/') ? folder : join(root, 'deploy/kubernetes', folder)]);
}

export async function helmTemplate(...args: readonly string[]): Promise<string> {
  return helmRelease('switchyard', ...args);
}

export async function helmRelease(name: string, ...args: readonly string[]): Promise<string> {
  return run(inject('deployTools').helm, [
    'template',
    name,
    chart,
    '--namespace',
    'switchyard',
    ...kubernetes,
    ...args,
  ]);
}

/** Of the Prometheus Operator: their schemas are not Kubernetes' own. */
const foreign = /^kind: (?:ServiceMonitor|PrometheusRule)$/m;

/** Empty. @throws Error that names what does not fit the API of Kubernetes, unknown fields included. */
export async function validate(manifests: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'switchyard-manifests-'));
  try {
    const file = join(directory, 'manifests.yaml');
    const own = manifests.split(/^---$/m).filter((one) => !foreign.test(one));
    writeFileSync(file, own.join('---'));
    if (documentsOf(own.join('---')).length === 0) throw new Error('nothing was rendered');
    return await run(places.kubernetesValidate, ['--strict', '--quiet', file]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
