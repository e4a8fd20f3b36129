#!/bin/sh
# Every public survey file that is here, read by its instrument and by astropy: they agree.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
python=
for p in python3 /usr/bin/python3; do
    [ -z "$python" ] && $p -c "import astropy.io.fits, numpy" 2>/dev/null && python=$p
done
[ -n "$python" ] || skip_all "python3 with astropy is not installed"
[ -d "$ANPE_SHARED/data" ] || skip_all "no survey files here (ANPE_SHARED)"
$python "$ANPE_SRCDIR/tests/cli/readings.py" "${ANPE_BUILDDIR:-.}/tests/cli/read_spectra" "$ANPE_SHARED/data" \
    "$work" >"$work/out" || status=$?
cat "$work/out"
checks=$(grep -c '^\(not \)\{0,1\}ok ' "$work/out") failures=$(grep -c '^not ok ' "$work/out")
[ "$status" = 0 ] || [ "$failures" -gt 0 ] || not_ok "the comparison ran to its end"
finish
