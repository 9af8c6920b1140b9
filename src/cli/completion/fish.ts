// The completion of fish: one line for each word.
// https://fishshell.com/docs/current/completions.html
import { backendsCommand, type OptionWords, type Value, type VerbWords } from './words.ts';

export function fish(verbs: readonly VerbWords[]): string {
  return `# switchyard completion fish | source
complete -c switchyard -f
${verbs.map(verbLines).join('\n')}
`;
}

function verbLines({ name, description, options, argument }: VerbWords): string {
  const after = `-n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c switchyard -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
    ...options.map((option) => `complete -c switchyard ${after} ${optionWords(option)}`),
    ...(argument === undefined || argument === 'free' ? [] : [`complete -c switchyard ${after} ${offer(argument)}`]),
  ].join('\n');
}

function optionWords({ flags, description, value }: OptionWords): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const rest = value === undefined ? [] : value === 'free' ? ['-x'] : [value === 'file' ? '-r' : '-x', offer(value)];
  return [...names, ...rest, '-d', quoted(description)].join(' ');
}

function offer(value: Exclude<Value, 'free'>): string {
  if (value === 'file') return '-F';
  return value === 'backend' ? `-a '(${backendsCommand})'` : `-a ${quoted(value.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}
