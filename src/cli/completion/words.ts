// What can be completed, read off the program itself: a new verb, option or choice is known here without a word of its own.
import type { Argument, Command, Option } from 'commander';

/** What stands in the place of a value: one of some words, a path, the name of a backend, or what nobody can guess. */
export type Value = readonly string[] | 'file' | 'backend' | 'free';

export interface VerbWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** Absent: it takes none. */
  readonly argument: Value | undefined;
}

export interface OptionWords {
  /** `-c`, `--config`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent: it takes none. */
  readonly value: Value | undefined;
}

export function wordsOf(program: Command): readonly VerbWords[] {
  const help = program.createHelp();
  return help
    .visibleCommands(program)
    .filter((verb) => verb.name() !== 'help')
    .map((verb) => {
      const [argument] = verb.registeredArguments;
      return {
        name: verb.name(),
        description: verb.description(),
        options: help.visibleOptions(verb).map(optionWords),
        argument: argument && valueOf(argument, argument.name()),
      };
    });
}

function optionWords(option: Option): OptionWords {
  const { short, long, description, required, optional, flags } = option;
  const [, name = ''] = /[<[]([^>\].]+)/.exec(flags) ?? [];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    value: required || optional ? valueOf(option, name) : undefined,
  };
}

/** Values are named after what they are: `<file>`, `<backend>`. */
function valueOf({ argChoices }: Argument | Option, name: string): Value {
  if (argChoices !== undefined) return argChoices;
  return name === 'file' || name === 'backend' ? name : 'free';
}

/** Prints the names of the backends, one a line, from the running router; nothing where there is none. */
export const backendsCommand = 'switchyard completion backends 2>/dev/null';
