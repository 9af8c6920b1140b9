// `npm run docs:boards`: writes grafana/dashboards/*.json and the table of alerts in the README.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documents, root } from './documents.ts';

for (const [path, text] of documents()) writeFileSync(join(root, path), text);
