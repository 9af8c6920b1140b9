// `switchyard completion`: what a shell needs to complete verbs, options, choices, files and the names of backends.
import { Argument, Command, InvalidArgumentError } from 'commander';
import { openAdmin } from './admin-client.ts';
import { bash } from './completion/bash.ts';
import { fish } from './completion/fish.ts';
import { wordsOf } from './completion/words.ts';
import { zsh } from './completion/zsh.ts';
import { askFleet } from './fleet-answer.ts';
import { below } from './help-text.ts';
import { print, printLines } from './print.ts';

const shells = { bash, zsh, fish } as const;
const shellNames = ['bash', 'zsh', 'fish'] as const satisfies readonly (keyof typeof shells)[];
/** What the scripts call; nobody waits longer for the words behind a key press. */
const backends = 'backends';
/** Shells look for variables and commands in what they complete from. */
const harmless = /^[\w.:/@-]+$/;
const backendsTimeoutMs = 1_000;

export function completionCommand(): Command {
  const shell = new Argument('<shell>', 'bash, zsh or fish').choices(shellNames).argParser(readShell);
  return new Command('completion')
    .description('print the completion for a shell')
    .addArgument(shell)
    .addHelpText(
      'after',
      below({
        examples: [
          'eval "$(switchyard completion bash)"    # in ~/.bashrc',
          'eval "$(switchyard completion zsh)"     # in ~/.zshrc',
          'switchyard completion fish | source    # in ~/.config/fish/config.fish',
        ],
        exitCodes: { 0: 'printed' },
      }),
    )
    .action(async (shell: Completed, _options: unknown, command: Command) => {
      if (shell === backends) await printBackends();
      else print(shells[shell](wordsOf(command.parent ?? command)));
    });
}

type Completed = (typeof shellNames)[number] | typeof backends;

function readShell(text: string): Completed {
  const known = [...shellNames, backends] as const;
  const shell = known.find((name) => name === text);
  if (shell === undefined) throw new InvalidArgumentError(`expected one of ${shellNames.join(', ')}`);
  return shell;
}

/** Silent where there is no router: a shell in the middle of a line has no place for messages. */
async function printBackends(): Promise<void> {
  const admin = openAdmin({}, process.env);
  if ('problem' in admin) return;
  const fleet = await askFleet(admin, { timeoutMs: backendsTimeoutMs });
  if ('problem' in fleet || fleet.report === undefined) return;
  const names = fleet.report.backends.map(({ name }) => name).filter((name) => harmless.test(name));
  if (names.length > 0) printLines(names);
}
