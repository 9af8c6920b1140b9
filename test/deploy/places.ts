// Where the checks of what is deployed keep what they install, and the versions that are not in requirements.txt.
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
const cache = join(root, '.cache', 'deploy');
const environment = join(cache, 'python');
const helmVersion = 'v3.22.0';
const kustomizeVersion = 'v5.8.2';

export const places = {
  cache,
  environment,
  requirements: join(import.meta.dirname, 'requirements.txt'),
  python: join(environment, 'bin', 'python'),
  hadolint: join(environment, 'bin', 'hadolint'),
  kubernetesValidate: join(environment, 'bin', 'kubernetes-validate'),
  yamllint: join(environment, 'bin', 'yamllint'),
  helmModule: `helm.sh/helm/v3/cmd/helm@${helmVersion}`,
  helmFolder: join(cache, `helm-${helmVersion}`),
  kustomizeModule: `sigs.k8s.io/kustomize/kustomize/v5@${kustomizeVersion}`,
  kustomizeFolder: join(cache, `kustomize-${kustomizeVersion}`),
} as const;
