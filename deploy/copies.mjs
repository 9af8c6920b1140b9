// Files that have to stand in a second place, because a chart or a kustomization takes nothing from outside its folder:
// rules, dashboards, and the schema of the fleet file. `npm run deploy:copies` writes them; a test compares.
// Plain JavaScript without dependencies, as the other scripts here.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const chart = 'deploy/helm/switchyard';
/** A folder of the chart in which nothing else may stand. */
export const dashboardCopies = `${chart}/dashboards`;

/** What has to stand where: path below the root → text. */
export function copies() {
  return {
    ...rules(),
    ...dashboards(),
    [`${chart}/values.schema.json`]: valuesSchema(),
  };
}

function rules() {
  const source = 'deploy/prometheus/rules.yaml';
  const text = read(source);
  const note = `# A copy of ${source}: change that, then \`npm run deploy:copies\`.\n`;
  const head = 'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: switchyard\nspec:\n';
  return {
    [`${chart}/files/rules.yaml`]: note + text,
    'deploy/kubernetes/components/monitoring/prometheusrule.yaml': note + head + indent(text),
  };
}

function dashboards() {
  const source = 'grafana/dashboards';
  const names = readdirSync(join(root, source)).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(names.toSorted().map((name) => [`${dashboardCopies}/${name}`, read(`${source}/${name}`)]));
}

/** The fleet has its schema inside, under an identifier of its own, so that references in it stay there. */
function valuesSchema() {
  const fleet = JSON.parse(read('config/fleet.schema.json'), readableByHelm);
  const schema = JSON.parse(read('deploy/helm/values.schema.json'));
  schema.properties.fleet = { $ref: '#/definitions/fleet' };
  schema.definitions.fleet = { ...fleet, $id: 'https://switchyard.invalid/fleet.schema.json' };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** Helm reads patterns as Go does, to which `[^]`, any character at all, says nothing. */
function readableByHelm(key, value) {
  return key === 'pattern' ? value.replaceAll('[^]', '[\\s\\S]') : value;
}

function indent(text) {
  return text.replace(/^(?=.)/gm, '  ');
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(join(root, dashboardCopies), { recursive: true, force: true });
  for (const [path, text] of Object.entries(copies())) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    process.stdout.write(`${path}\n`);
  }
}
