// The verbs of `switchyard`. A new one is a file and a line here.
import { Command } from 'commander';
import { checkCommand } from './check.ts';
import { completionCommand } from './completion.ts';
import { diffCommand } from './diff.ts';
import { drainCommand, undrainCommand } from './drain.ts';
import { explainCommand } from './explain.ts';
import { fmtCommand } from './fmt.ts';
import { healthcheckCommand } from './healthcheck.ts';
import { initCommand } from './init.ts';
import { modelsCommand } from './models.ts';
import { planCommand } from './plan.ts';
import { probeCommand } from './probe.ts';
import { reloadCommand } from './reload.ts';
import { schemaCommand } from './schema.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';
import { statusCommand } from './status.ts';
import { version, versionCommand } from './version.ts';

/** In the order of the help. */
const verbs = [
  initCommand,
  serveCommand,
  checkCommand,
  fmtCommand,
  probeCommand,
  planCommand,
  statusCommand,
  modelsCommand,
  explainCommand,
  drainCommand,
  undrainCommand,
  reloadCommand,
  diffCommand,
  healthcheckCommand,
  simulateCommand,
  schemaCommand,
  completionCommand,
  versionCommand,
];

export function createProgram(): Command {
  const program = new Command('switchyard')
    .description(
      'A load-balancing router for self-hosted LLM inference: one OpenAI-compatible URL in front of many backends.',
    )
    .version(version())
    .showHelpAfterError()
    .showSuggestionAfterError();
  for (const verb of verbs) program.addCommand(verb());
  return program;
}
