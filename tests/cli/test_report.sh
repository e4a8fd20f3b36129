#!/bin/sh
# anpe report: pages of a catalogue and of a model; what cannot be made says so and leaves nothing; and, where
# there is a browser, what the pages do.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
srcdir=$(cd "$ANPE_SRCDIR" && pwd)
cd "$work" || exit 99

"$ANPE" train "$srcdir/tests/cli/small.cfg" -q -o m.h5 --set train.steps=2 --set train.epochs=2 \
    --set train.n_validation=8 || exit 99
cp m.h5 plain.h5
"$ANPE" validate m.h5 -q -n 60 -s 40 || exit 99
"$ANPE" simulate m.h5 -q -n 6 --observed -o mocks.h5 || exit 99
: >empty.h5
run "$ANPE" infer m.h5 mocks.h5 empty.h5 -q -s 200 -o stars.fits -p draws.h5 --predict best.h5 --explain why.h5
check "a catalogue with a star that failed" test "$status" = 4

run "$ANPE" report stars.fits -o stars.html -p draws.h5 --predict best.h5 --explain why.h5
expect_out "a page of a catalogue" 0 "stars.html: 7 stars, 7 with their details"
check "it names nothing outside of itself" none grep -Eo '(src|href)="[^#"][^"]*"' stars.html
run "$ANPE" report stars.fits -o few.html -p draws.h5 --details 2 --json
check "details of as many stars as wanted" grep -q '"details": 2' out
check "and no more" test "$(grep -c 'id="star-' few.html)" = 2
"$ANPE" infer m.h5 mocks.h5 empty.h5 -q -s 200 -o stars.vot
run "$ANPE" report stars.vot -o other.html
expect_out "a page of a VOTable" 0 "other.html: 7 stars, 0 with their details"
run "$ANPE" report m.h5 -o model.html
expect_out "a page of a model" 0 "model.html: of the model m.h5"
run "$ANPE" report plain.h5 -o plain.html
check "a model that was not validated says so" grep -q 'Not validated' plain.html
check "no figure was left beside it" test "$(find . -name '*.svg' | wc -l)" = 0

# Names that would end the element that holds them, and text that is no UTF-8.
printf 'id,flags,teff,teff_sd,teff_p16\n</script><script>window.bad=1</script>,0,5000,10,4990\n' >hostile.csv
printf '<img src=x onerror=window.bad=1>,1,,,\n\377\001,0,4000,1,3999\n' >>hostile.csv
run "$ANPE" report hostile.csv -o hostile.html
expect_out "a hostile catalogue" 0 "hostile.html: 3 stars, 0 with their details"
check "its names end no element" test "$(grep -c '<script>window' hostile.html)" = 0
check "what is no text is a question mark" grep -q '"??"' hostile.html

# ---- refusals ------------------------------------------------------------------------------------

run "$ANPE" report stars.fits -o stars.txt
expect_error "no page by its name" 2 "^anpe report: --output must end in .html, not 'stars.txt'"
run "$ANPE" report m.h5 -o bad.html -p draws.h5
expect_error "draws of a model" 2 "go with a catalogue, and 'm.h5' is a model"
"$ANPE" simulate m.h5 -q -n 3 --observed --seed 9 -o three.h5 || exit 99
"$ANPE" infer m.h5 three.h5 -q -s 20 -o three.csv -p three_draws.h5 || exit 99
run "$ANPE" report stars.fits -o bad.html -p three_draws.h5
expect_error "draws of another run" 1 "three_draws.h5: of 3 spectra, the catalogue has 7: not of the same run"
cp three.h5 zz.h5
"$ANPE" infer m.h5 zz.h5 -q -s 20 -o zz.csv --predict zz_best.h5 || exit 99
run "$ANPE" report three.csv -o bad.html --predict zz_best.h5
expect_error "fits of other stars" 1 "zz_best.h5: spectrum 0 is of 'zz.h5\[0\]', that of the catalogue of 'three.h5\[0\]'"
run "$ANPE" report three.csv -o bad.html -p zz_best.h5
expect_error "fits as draws" 1 "zz_best.h5: format 'anpe predictions', expected 'anpe posterior'"
run "$ANPE" report mocks.txt -o bad.html
expect_error "no catalogue" 1 "mocks.txt"
run "$ANPE" report three.csv -o nowhere/bad.html
expect_error "no such directory" 1 "nowhere"
check "no page was left" test "$(find . -name 'bad*' | wc -l)" = 0

# ---- in a browser --------------------------------------------------------------------------------

browser=
for p in chromium chromium-browser google-chrome; do
    [ -z "$browser" ] && command -v $p >/dev/null && browser=$(command -v $p)
done
python=
for p in python3 /usr/bin/python3; do
    [ -z "$python" ] && command -v $p >/dev/null && python=$p
done
if [ -z "$browser" ] || [ -z "$python" ]; then
    skip "the pages in a browser" "Chromium and python3 are needed (Debian: chromium, python3)"
    finish
fi
for n in 1000 10000; do
    awk -v n=$n 'BEGIN { print "id,teff,teff_sd,teff_p16,logg,logg_sd,logg_p16,snr"; srand(1)
        for (i = 0; i < n; i++) { t = 3500 + 3500 * rand(); g = 5 * rand(); e = 10 + 90 * rand()
            printf "star %d,%.3f,%.3f,%.3f,%.4f,%.4f,%.4f,%.2f\n", i, t, e, t - e, g, e / 300, g - e / 300, 5000 / e } }' >many.csv
    "$ANPE" report many.csv -q -o many_$n.html || exit 99
done
run $python "$srcdir/tests/cli/report_page.py" "$browser" "$work"
cat out err
checks=$((checks + $(grep -c '^\(not \)\{0,1\}ok ' out))) failures=$((failures + $(grep -c '^not ok ' out)))
[ "$status" = 0 ] || [ "$failures" -gt 0 ] || not_ok "the browser's part ran to its end"
[ -z "${ANPE_TEST_PICTURES:-}" ] || cp ./*.png ./*.pdf "$ANPE_TEST_PICTURES"
finish
