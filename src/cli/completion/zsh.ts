// The completion of zsh, which shows descriptions beside the words.
// https://zsh.sourceforge.io/Doc/Release/Completion-System.html
import { backendsCommand, type OptionWords, type Value, type VerbWords } from './words.ts';

export function zsh(verbs: readonly VerbWords[]): string {
  return `#compdef switchyard
# eval "$(switchyard completion zsh)", or as the file _switchyard in a directory of $fpath
_switchyard_backends() {
  local -a names=(\${(f)"$(${backendsCommand})"})
  compadd -a names
}
_switchyard() {
  local curcontext=$curcontext state line
  local -a verbs=(
${verbs.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`).join('\n')}
  )
  _arguments -C '1: :->verb' '*:: :->rest'
  case $state in
    verb) _describe verb verbs ;;
    rest)
      case $line[1] in
${verbs.map(verbCase).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] == _switchyard ]]; then _switchyard "$@"; else compdef _switchyard switchyard; fi
`;
}

function verbCase({ name, options, argument }: VerbWords): string {
  const rest = argument === undefined ? [] : [`'1: :${action(argument)}'`];
  return `        ${name}) _arguments ${[...options.map(optionSpec), ...rest].join(' ')} ;;`;
}

function optionSpec({ flags, description, value }: OptionWords): string {
  const about = quoted(
    `[${description.replaceAll(/[[\]\\]/g, String.raw`\$&`)}]${value === undefined ? '' : `: :${action(value)}`}`,
  );
  const [only = ''] = flags;
  return flags.length === 1 ? `${only}${about}` : `'(${flags.join(' ')})'{${flags.join(',')}}${about}`;
}

function action(value: Value): string {
  switch (value) {
    case 'free':
      return ' ';
    case 'file':
      return '_files';
    case 'backend':
      return '_switchyard_backends';
    default:
      return `(${value.join(' ')})`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
