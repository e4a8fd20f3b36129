#!/bin/sh
# Catalogues in all of their formats: the same table in each, as others read it: fitsverify and votlint pass,
# Astropy finds names, units, UCDs of the IVOA's list, descriptions, provenance and numbers.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
srcdir=$(cd "$ANPE_SRCDIR" && pwd)
cd "$work" || exit 99
python=
for p in python3 /usr/bin/python3; do
    [ -z "$python" ] && $p -c "import astropy.table, h5py" 2>/dev/null && python=$p
done

"$ANPE" train "$srcdir/tests/cli/small.cfg" -q -o m.h5 --set train.steps=2 --set train.epochs=1 \
    --set train.n_validation=8 || exit 99
"$ANPE" validate m.h5 -q -n 200 -s 20 || exit 99
"$ANPE" simulate m.h5 -q -n 5 --observed -o mocks.h5 || exit 99
# A name that every format has to escape, and a spectrum that fails: a row without numbers.
cp mocks.h5 '<&"'\'',b>.h5'
: >'empty.h5'
for end in fits h5 csv ecsv vot; do
    run "$ANPE" infer m.h5 '<&"'\'',b>.h5' empty.h5 -q -s 50 -o "c.$end"
    check ".$end: written" test "$status" = 4 -a -s "c.$end"
done

# ---- with what the formats' own people check ------------------------------------------------------

if command -v fitsverify >/dev/null; then
    run fitsverify -q c.fits
    check "fitsverify finds nothing" grep -q '^verification OK' out
else
    skip fitsverify "it is not installed (Debian: libcfitsio-bin)"
fi
if command -v stilts >/dev/null; then
    run stilts votlint c.vot
    check "votlint finds nothing" test "$status" = 0 -a ! -s out -a ! -s err
else
    skip votlint "it is not installed (Debian: stilts)"
fi
if [ -n "$python" ]; then
    run $python "$srcdir/tests/cli/catalogue.py" c.fits c.h5 c.csv c.ecsv c.vot
    cat out err
    checks=$((checks + $(grep -c '^\(not \)\{0,1\}ok ' out))) failures=$((failures + $(grep -c '^not ok ' out)))
    [ "$status" = 0 ] || [ "$failures" -gt 0 ] || not_ok "the comparison ran to its end"
else
    skip astropy "python3 with astropy and h5py is not installed"
fi

# ---- and as anpe reads them ----------------------------------------------------------------------

for end in fits h5 csv ecsv vot; do
    run "$ANPE" infer m.h5 mocks.h5 -q -s 50 -o "with_$end.csv" --compare "c5.$end" --compare-id id
    expect_error ".$end: a catalogue that is not there" 1 "c5.$end: "
    run "$ANPE" infer m.h5 mocks.h5 -q -s 50 -o all.$end
    run "$ANPE" infer m.h5 mocks.h5 -q -s 50 -o "with_$end.csv" --compare "all.$end"
    check ".$end: compared with" test "$status" = 0
done
for end in fits h5 csv ecsv vot; do grep -v '^# RUN' with_$end.csv >with_$end; done # other files were compared with
check ".h5: read as .fits" cmp with_fits with_h5 # texts have ten digits, these all
for end in ecsv vot; do
    check ".$end: read as .csv" cmp with_csv with_$end
done
for end in fits h5 csv ecsv vot; do
    run "$ANPE" info all.$end
    check ".$end: info says what it is" test "$status" = 0 -a "$(grep -c '^what *catalogue of anpe infer$' out)" = 1
    check ".$end: and of which model" grep -q "^model *m.h5$" out
    sed -n 's/^\(labels\)\{0,1\} \{1,\}\([a-z_0-9]* .*median.*\)/\2/p;/^flags/,$p' out | tr -s ' ' | sort >info_$end
    check ".$end: its labels and flags" cmp info_fits info_$end
done
check "labels there are" test "$(grep -c ' median ' info_fits)" -gt 1
gzip -c all.vot >all.vot.gz
run "$ANPE" infer m.h5 mocks.h5 -q -s 50 -o with_gz.csv --compare all.vot.gz
grep -v '^# RUN' with_gz.csv >with_gz
check "a gzipped VOTable" cmp with_csv with_gz
finish
