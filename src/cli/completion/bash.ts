// The completion of bash (4 or newer): one function that looks at the verb and the word before the cursor.
// https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html
import { backendsCommand, type Value, type VerbWords } from './words.ts';

export function bash(verbs: readonly VerbWords[]): string {
  return `# eval "$(switchyard completion bash)"
_switchyard() {
  local word verb= cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || { verb=$word; break; }
  done
  case "$verb $prev" in
${verbs.flatMap(valueCases).join('\n')}
  esac
  case "$verb" in
    '') ${offer(verbs.map(({ name }) => name))} ;;
${verbs.map(verbCase).join('\n')}
  esac
}
complete -F _switchyard switchyard
`;
}

function valueCases({ name, options }: VerbWords): readonly string[] {
  return options.flatMap(({ flags, value }) =>
    value === undefined
      ? []
      : [`    ${flags.map((flag) => `'${name} ${flag}'`).join(' | ')}) ${offer(value)}; return ;;`],
  );
}

function verbCase({ name, options, argument }: VerbWords): string {
  const flags = offer(options.flatMap(({ flags }) => flags));
  return `    ${name}) if [[ $cur == -* ]]; then ${flags}; else ${argument === undefined ? ':' : offer(argument)}; fi ;;`;
}

function offer(value: Value): string {
  switch (value) {
    case 'free':
      return ':';
    case 'file':
      return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")';
    case 'backend':
      return `mapfile -t COMPREPLY < <(compgen -W "$(${backendsCommand})" -- "$cur")`;
    default:
      return `mapfile -t COMPREPLY < <(compgen -W '${value.join(' ')}' -- "$cur")`;
  }
}
