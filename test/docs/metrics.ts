// `npm run docs:metrics`: writes the table of metrics into the README.
import { readFileSync, writeFileSync } from 'node:fs';
import { readme, withMetrics } from './readme.ts';

writeFileSync(readme, withMetrics(readFileSync(readme, 'utf8')));
