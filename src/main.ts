#!/usr/bin/env node
// Process entry: arguments in, exit code out; nothing else.
import { whyTooOld } from './cli/node-version.ts';

const tooOld = whyTooOld(process.versions.node);
if (tooOld === undefined) {
  // Only now: with an older one even reading the rest would fail, and in words that help nobody.
  const { createProgram } = await import('./cli/index.ts');
  await createProgram().parseAsync();
} else {
  process.stderr.write(tooOld);
  process.exitCode = 1;
}
