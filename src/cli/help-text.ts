// What stands below the options in the help of every verb.

interface Below {
  /** Each a command line without its `$`. */
  readonly examples: readonly string[];
  /** What each exit code means, in a few words. */
  readonly exitCodes: Readonly<Record<number, string>>;
}

export function below({ examples, exitCodes }: Below): string {
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `${code} ${meaning}`);
  return `\nExamples:\n${examples.map((line) => `  $ ${line}\n`).join('')}\nExit code: ${codes.join(', ')}.`;
}
