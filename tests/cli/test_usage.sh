#!/bin/sh
# What anpe says to a wrong command line, for every subcommand there is, and that anpe(1) knows them.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
page=$ANPE_SRCDIR/docs/man/anpe.1
sed 's/\\-/-/g' "$page" >"$work/page"
version=$(sed -n 's/^#define PACKAGE_VERSION "\(.*\)"/\1/p' "$ANPE_BUILDDIR/config.h")

run "$ANPE" --version
expect_out "--version" 0 "anpe $version"
run "$ANPE"
expect_error "no command" 2 '^Usage: anpe COMMAND'
run "$ANPE" plgins
expect "misspelt command" 2 "anpe: unknown command 'plgins'; did you mean 'plugins'?
Try 'anpe --help'."
run "$ANPE" zzzzzzzz
expect "unknown command" 2 "anpe: unknown command 'zzzzzzzz'
Try 'anpe --help'."
run "$ANPE" --zzzzzzzz
expect "unknown option in front" 2 "anpe: unknown option '--zzzzzzzz'
Try 'anpe --help'."
run "$ANPE" --help
cp "$work/out" "$work/help"
check "--help" test "$status" = 0
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z_]*\) .*/\1/p' "$work/help")
check "--help lists the commands" test -n "$commands"

# Long options that the help of a command names.
options() { sed -n 's/^  .*--\([a-z][a-z-]*\).*/\1/p' "$1" | sort -u; }

# "option default" of those whose default the help of a command gives.
defaults() { sed -n 's/^  [-a-zA-Z, ]\{3\} --\([a-z][a-z-]*\) .*(default \([^:)]*\))$/\1 \2/p' "$1"; }

# Whether the page says of this option of a command, there or among the options of all, within six lines, that this is
# its default.
page_has() {
    awk -v command="$1" -v option="--$2" -v value="$3" '
        $0 == ".B " command && head { inside = 1; next }
        { head = $0 == ".TP" }
        inside && /^\.RE/ { inside = 0 }
        /^\.SH/ { inside = /OPTIONS/ }
        inside && match($0, option "([^a-z-]|$)") { left = 6 }
        left-- > 0 && index($0, value) { found = 1; exit }
        END { exit !found }' "$work/page"
}

for command in $commands; do
    run "$ANPE" "$command" --help
    defaults "$work/out" >"$work/defaults"
    while read -r option value; do
        check "$command --$option: its default, $value, is in anpe(1)" page_has "$command" "$option" "$value"
    done <"$work/defaults"
    check "$command --help" test "$status" = 0 -a ! -s "$work/err"
    check "$command --help starts with its usage" \
        grep -q "^Usage: anpe $command " "$work/out"
    check "$command is in anpe(1)" grep -qx "\.B $command" "$page"
    for option in $(options "$work/out"); do
        check "$command --$option is in anpe(1)" \
            grep -Eqe "--$option([^a-z-]|\$)" "$work/page"
    done
    run "$ANPE" "$command" --zzzzzzzz
    expect "$command: unknown option" 2 "anpe $command: unknown option '--zzzzzzzz'
Try 'anpe $command --help'."
    run "$ANPE" "$command" --jsom
    expect "$command: misspelt option" 2 "anpe $command: unknown option '--jsom'; did you mean '--json'?
Try 'anpe $command --help'."
    run "$ANPE" "$command" --json=1
    expect "$command: a value for a switch" 2 "anpe $command: option '--json' takes no value
Try 'anpe $command --help'."
    run "$ANPE" "$command" --threads
    expect "$command: a missing value" 2 "anpe $command: option '--threads' needs a value
Try 'anpe $command --help'."
    for value in many 1.5 -1 1025 ''; do
        run "$ANPE" "$command" "--threads=$value"
        expect "$command: --threads=$value" 2 \
            "anpe $command: --threads must be an integer in [0, 1024], not '$value'
Try 'anpe $command --help'."
    done
done

run "$ANPE" infer --help
check "--help says defaults" grep -q "^  -s, --samples N .*(default 1000)$" "$work/out"

if [ -w /dev/full ]; then
    for words in plugins --help --version "infer --help"; do
        status=0
        # shellcheck disable=SC2086
        "$ANPE" $words >/dev/full 2>"$work/err" || status=$?
        : >"$work/out"
        expect "standard output is full: $words" 1 "anpe: cannot write to standard output"
    done
else
    skip "standard output is full" "there is no /dev/full"
fi
finish
