// Results go to standard output; what is said beside them goes to standard error.

/** A reader that has seen enough (`| head`) is no failure. */
export function print(text: string): void {
  if (text === '') return;
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', endUnread);
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function printLines(lines: readonly string[]): void {
  print(lines.join('\n'));
}

/** For what has more to do than to print: it goes on where nobody reads. */
export function printUnheeded(text: string): void {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => {});
  process.stdout.write(text);
}

/** Messages. */
export function say(text: string): void {
  process.stderr.write(`switchyard: ${text}\n`);
}

function endUnread(cause: Error): void {
  if (!('code' in cause) || cause.code !== 'EPIPE') throw cause;
  process.exit(process.exitCode);
}
