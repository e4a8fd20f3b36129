#!/bin/sh
# Completion in bash and zsh knows every command and every option.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
cd "$work" || exit 99
run "$ANPE" completion fish
expect "another shell" 2 "anpe completion: 'fish' is neither bash nor zsh
Try 'anpe completion --help'."
"$ANPE" completion bash >anpe.bash
"$ANPE" completion zsh >_anpe
for command in $("$ANPE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z_]*\) .*/\1/p'); do
    "$ANPE" "$command" --help | sed -n 's/^  .\{3\} --\([a-z][a-z-]*\).*/\1/p' >options
    for shell in anpe.bash _anpe; do
        sed -n "/^ *$command) *words=\" --/p; /^ *$command)\$/,/;;/p" $shell >part
        check "$shell: $command" test -s part -a -s options
        check "$shell: $command: every option" none sh -c \
            'while read -r o; do grep -Eqe "--$o([\" =\[]|\$)" part || echo "$o"; done <options'
    done
done
if command -v bash >/dev/null; then
    # completes WORD... BASE: what bash makes of a line
    completes() {
        bash -c '. ./anpe.bash; COMP_WORDS=(anpe "$@"); COMP_CWORD=$#; _anpe; echo "${COMPREPLY[*]}"' - "$@"
    }
    check "bash: a command" test "$(completes val)" = validate
    check "bash: an option" test "$(completes infer m.h5 --sam)" = --samples
    check "bash: a choice" test "$(completes simulate c.cfg --design so)" = sobol
    check "bash: what can be done with a zoo" test "$(completes zoo pub)" = publish
    check "bash: a figure" test "$(completes plot cor)" = corner
    check "bash: a kind of plugins" test "$(completes plugins back)" = backend
    mkdir -p zoo/mini/1.0 bin && : >zoo/mini/1.0/mini.h5
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$ANPE" >bin/anpe && chmod +x bin/anpe
    check "bash: a model of the zoo" test "$(PATH=$work/bin:$PATH ANPE_ZOO=$work/zoo completes infer min)" = mini
    check "bash: a file" test "$(completes infer _an)" = _anpe
else
    skip "bash" "it is not installed"
fi
if command -v zsh >/dev/null; then
    run zsh -n _anpe
    check "zsh reads it" test "$status" = 0 -a ! -s err
else
    skip "zsh" "it is not installed"
fi
finish
