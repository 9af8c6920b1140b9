#!/usr/bin/env node
// Process entry: arguments in, exit code out; nothing else.
import { createProgram } from './cli/index.ts';

await createProgram().parseAsync();
