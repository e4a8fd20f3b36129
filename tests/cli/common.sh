# shellcheck shell=sh
# Helpers of the command-line tests: source it first, call `finish` last.
#
# Each check prints "ok NAME" or "not ok NAME" with what was expected and what came; what cannot be
# tested here prints "skip NAME: why". tests/count reads these lines.
#   run COMMAND...               runs it; keeps $status, and its output in $work/out and $work/err
#   expect NAME STATUS [TEXT]    the last run ended with STATUS and wrote exactly TEXT on standard
#                                error (TEXT absent: nothing at all)
#   expect_out NAME STATUS TEXT  the same for standard output, with nothing on standard error
#   expect_error NAME STATUS RE  a line of standard error matches the extended expression RE
#   check NAME COMMAND...        the command succeeds
#   none COMMAND...             succeeds if the command prints nothing, and shows what it printed otherwise
#   differ FILE FILE             both are there and not equal
#   lacks RE FILE                the file is there, no line of it matches
#   await COMMAND...             waits until it succeeds or the process $child has ended, however long it takes
#   handles_interrupts           $child has a handler of ctrl-C: a shell's background starts with it ignored
#   skip NAME WHY                / skip_all WHY: nothing of this file can be tested here
: "${ANPE:=./anpe}" "${ANPE_SRCDIR:=.}" "${ANPE_SHARED:=/nonexistent}"
work=$(mktemp -d "${TMPDIR:-/tmp}/anpe-test.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
checks=0 failures=0 status=0

# What libtool's wrapper would start: a wrapper takes longer than most of the runs.
direct=$(cd "$(dirname "$ANPE")" 2>/dev/null && pwd)/.libs
if [ -x "$direct/${ANPE##*/}" ]; then
    ANPE=$direct/${ANPE##*/} LD_LIBRARY_PATH=$direct${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export ANPE LD_LIBRARY_PATH
fi

# What the backend says of a processor that this OpenBLAS has no good kernels for is no verdict on anpe.
run() {
    status=0
    "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    if grep -q '^anpe: warning: openblas: kernels for' "$work/err"; then
        sed '/^anpe: warning: openblas: kernels for/d' "$work/err" >"$work/err.rest"
        mv "$work/err.rest" "$work/err"
    fi
}

ok() {
    checks=$((checks + 1))
    echo "ok $1"
}

not_ok() {
    checks=$((checks + 1)) failures=$((failures + 1))
    echo "not ok $1"
}

# same NAME STATUS TEXT FILE OTHER: FILE holds TEXT and a newline (or nothing), OTHER is empty.
same() {
    if [ -n "$3" ]; then printf '%s\n' "$3" >"$work/expected"; else : >"$work/expected"; fi
    if [ "$status" = "$2" ] && cmp -s "$work/expected" "$4" && [ ! -s "$5" ]; then
        ok "$1"
        return
    fi
    not_ok "$1"
    echo "    expected status $2, got $status; expected text, then standard output, then error:"
    sed 's/^/    | /' "$work/expected"
    sed 's/^/    > /' "$work/out"
    sed 's/^/    ! /' "$work/err"
}

differ() {
    [ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"
}

lacks() {
    [ -s "$2" ] && ! grep -q "$1" "$2"
}

await() {
    until "$@" || ! kill -0 "$child" 2>/dev/null; do sleep 0.02; done
}

handles_interrupts() {
    case $(sed -n 's/^SigCgt:.*\(.\)$/\1/p' "/proc/$child/status" 2>/dev/null) in
    [2367abef]) ;;
    *) false ;;
    esac
}

none() {
    found=$("$@")
    [ -z "$found" ] && return 0
    printf '%s\n' "$found" | sed 's/^/    /'
    return 1
}


expect() { same "$1" "$2" "${3-}" "$work/err" "$work/out"; }
expect_out() { same "$1" "$2" "$3" "$work/out" "$work/err"; }

expect_error() {
    if [ "$status" = "$2" ] && grep -Eq -- "$3" "$work/err"; then
        ok "$1"
        return
    fi
    not_ok "$1"
    echo "    expected status $2, got $status; expected a line like: $3"
    sed 's/^/    ! /' "$work/err"
}

check() {
    name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name"; fi
}

skip() { echo "skip $1: $2"; }
skip_all() {
    echo "skip $(basename "$0" .sh): $1"
    exit 77
}

finish() {
    [ $failures = 0 ] || exit 1
    [ $checks -gt 0 ] || exit 77
    exit 0
}
