// The verbs of `switchyard`. A new one is a file and a line here.
import { Command } from 'commander';
import { checkCommand } from './check.ts';
import { serveCommand } from './serve.ts';
import { simulateCommand } from './simulate.ts';
import { version } from './version.ts';

const verbs = [serveCommand, checkCommand, simulateCommand];

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
