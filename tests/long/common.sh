# shellcheck shell=sh
# Helpers of the long studies: source it first, call `finish` last. A study prints its figures as
# "figure NAME VALUE" and its demands as "ok NAME" or "not ok NAME". Work is kept in long/NAME of the
# build directory, so that a study can be looked at, or repeated from where it was.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
study=$(basename "$0" .sh)
dir=${ANPE_BUILDDIR:-.}/long/$study
mkdir -p "$dir" && cd "$dir" || exit 99

say() { echo "-- $*"; }
figure() { echo "figure $1 $2"; }
# demand NAME VALUE OPERATOR BOUND, numbers compared by awk
demand() {
    figure "$1" "$2"
    check "$1 $3 $4" awk -v a="$2" -v b="$4" "BEGIN { exit !(a != \"\" && a + 0 $3 b + 0) }"
}
need_shared() {
    [ -d "$ANPE_SHARED/data" ] || skip_all "the data of the studies is not here (ANPE_SHARED)"
}
python=
need_python() { # modules
    for p in python3 /usr/bin/python3; do
        if $p -c "import $1" 2>/dev/null; then
            python=$p
            return
        fi
    done
    skip_all "python3 with $1 is not installed"
}
