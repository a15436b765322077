/**
 * `kvorum completion`: a script that makes a shell complete command lines of kvorum. At each Tab
 * the script asks this program, with the words so far behind COMPLETE_WORD, what may come next.
 * Where there is nothing to offer, the shell offers files.
 */

import type { CommandModule } from 'yargs';
import type { CommandContext } from './command-context.ts';
import { UsageError } from './command-error.ts';

/** The command that scripts ask: prints a candidate a line. Not in the help. */
export const COMPLETE_WORD = '__complete';

const BASH = `# kvorum: completion for bash. source <(kvorum completion bash)
_kvorum() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]}" ${COMPLETE_WORD} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _kvorum kvorum
`;

const ZSH = `#compdef kvorum
# kvorum: completion for zsh. source <(kvorum completion zsh)
_kvorum() {
  local -a found
  found=(\${(f)"$("\${words[1]}" ${COMPLETE_WORD} "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#found )); then compadd -a found; else _files; fi
}
if [[ $funcstack[1] == _kvorum ]]; then _kvorum "$@"; else compdef _kvorum kvorum; fi
`;

const FISH = `# kvorum: completion for fish. kvorum completion fish | source
function __kvorum_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l found ($program ${COMPLETE_WORD} $words "$last" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$last"
    end
end
complete -c kvorum -f -a '(__kvorum_complete)'
`;

/** The scripts, by shell. */
export const COMPLETION_SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', BASH],
  ['zsh', ZSH],
  ['fish', FISH],
]);

/** Makes the command. */
export function completionCommand(context: CommandContext): CommandModule {
  const shells = [...COMPLETION_SCRIPTS.keys()].join('|');
  return {
    command: 'completion',
    describe: 'print a script that completes command lines in a shell',
    builder: (yargs) => yargs.usage(`$0 completion ${shells}`),
    handler: (argv) => {
      const [, shell = ''] = Array.isArray(argv._) ? argv._.map(String) : [];
      const script = COMPLETION_SCRIPTS.get(shell);
      if (script === undefined) throw new UsageError(`completion needs a shell: ${shells}`);
      context.terminal.write(script);
    },
  };
}
