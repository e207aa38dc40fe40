package manual_test

import (
	"slices"
	"strings"
)

// shells are the arguments with which each shell prints the completions of the line that follows
// them, between BEGIN and END.
var shells = map[string][]string{
	// ESC * inserts all completions into the line, and ^A is its beginning. The words before them are
	// skipped, and what remains as it was typed.
	"bash": {"-c", `before=$(set -- $1x; echo $(($# - 1))) typed=${1##* }
printf '%s\n' 'source $(ls {/usr,/opt/homebrew,/usr/local}/share/bash-completion/bash_completion 2>/dev/null | head -1)' \
	'source <(railway completion bash)' \
	'show() { shift '$before'; echo BEGIN; for word; do [ "$word" = "'$typed'" ] || echo "$word"; done; echo END; }' \
	"$1"$'\e*\x01show ' | bash --norc -i 2>/dev/null`, "bash"},
	"fish": {"-c", `railway completion fish | source; echo BEGIN; complete -C $argv[1]; echo END`},
	// The completions are what compadd, which adds them, is called with.
	"zsh": {"-f", "-c", `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PROMPT=; autoload -Uz compinit && compinit -u && source <(railway completion zsh)
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
	local -a added; builtin compadd -A added "$@"; print -l -- $added; builtin compadd "$@"
}
all() { print "\nBEGIN"; _main_complete; print END; exit }
zle -C all complete-word all && bindkey "^I" all && print READY'
while zpty -r shell out && [[ $out != READY* ]]; do :; done
zpty -w -n shell "$1"$'\t'
while zpty -r shell out; do print -rn -- "$out"; done`, "zsh"},
}

// words returns the words between BEGIN and END, sorted and without descriptions.
func words(out string) string {
	_, out, _ = strings.Cut("\n"+strings.ReplaceAll(out, "\r", ""), "\nBEGIN\n")
	out, _, _ = strings.Cut(out, "END\n")
	var all []string
	for line := range strings.Lines(out) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if word = strings.TrimSuffix(word, "/"); word != "" {
			all = append(all, word)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ") // zsh may add one twice
}
