#!/bin/sh
# GALAH and Gaia RVS in every layout are read as astropy reads them, to the precision of a float.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
[ -d "$ANPE_SHARED/data/galah" ] || skip_all "no shared data"
for p in /usr/bin/python3 python3; do
    if $p -c 'import astropy.io.votable, numpy' 2>/dev/null; then
        mkdir "$work/a.Zb" # CFITSIO takes .Z anywhere in a path for compress(1)'s
        "$p" -W ignore "$ANPE_SRCDIR/tests/cli/layouts.py" "$ANPE_BUILDDIR/tests/cli/read_spectra" "$ANPE_SHARED" \
            "$work/a.Zb" >"$work/report" 2>"$work/err"
        check "it runs to its end" test $? = 0
        cat "$work/report" "$work/err"
        checks=$((checks + $(grep -c '^ok' "$work/report")))
        failures=$((failures + $(grep -c '^not ok' "$work/report")))
        finish
    fi
done
skip_all "python3 with astropy (Debian: python3-astropy) is not installed"
