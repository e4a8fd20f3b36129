#!/bin/sh
# The option reference of anpe.cfg(5) is what the option tables say; the pages have no roff errors; every
# subcommand is in anpe(1).
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
man=$ANPE_SRCDIR/docs/man

"$ANPE_BUILDDIR/docs/man/options" >"$work/options" 2>"$work/errors" || cat "$work/errors"
sed -n '/written by `make man-options`/,/^\.SH SEE ALSO/{//!p;}' "$man/anpe.cfg.5" >"$work/page"
# The page describes the optional plugins too.
[ -f "$ANPE_BUILDDIR/plugins/backend_onednn.la" ] ||
    sed -i '/^\.SS backend .*onednn/,/^\.SS backend .*openblas/{/openblas/!d;}' "$work/page"
check "there are options to describe" test -s "$work/options"
check "anpe.cfg(5) is as 'make man-options' writes it" diff -u "$work/page" "$work/options"

if command -v groff >/dev/null; then
    for page in anpe.1 anpe-zoo.1 anpe.cfg.5; do
        groff -man -Tutf8 -ww "$man/$page" 2>"$work/groff" >/dev/null
        check "$page has no roff errors" test ! -s "$work/groff"
    done
else
    skip "no roff errors" "groff is not installed"
fi
finish
