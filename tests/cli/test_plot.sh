#!/bin/sh
# anpe plot on what the other commands wrote: every plot in every format is a whole file of the size that
# was asked for and is not blank; what cannot be drawn says so and leaves nothing.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
image_check=${ANPE_BUILDDIR:-.}/tests/cli/image_check
case $image_check in /*) ;; *) image_check=$PWD/$image_check ;; esac
config=$(cd "$ANPE_SRCDIR" && pwd)/tests/cli/small.cfg
cd "$work" || exit 99

: >nothing.h5
run "$ANPE" plot curves nothing.h5 -o a.png
grep -q "built without PLplot" err && {
    expect_error "without PLplot it says what to install" 1 'Debian: libplplot-dev, plplot-driver-cairo'
    finish
}

# A model of seconds, mocks, their catalogue, draws and model spectra.
"$ANPE" train "$config" -q -o m.h5 --set train.steps=2 --set train.epochs=2 --set train.n_validation=8 ||
    exit 99
cp m.h5 plain.h5
"$ANPE" validate m.h5 -q -n 60 -s 40 || exit 99
"$ANPE" simulate m.h5 -q -n 6 --observed -o mocks.h5 || exit 99
"$ANPE" infer m.h5 mocks.h5 -q -s 200 -o cat.fits -p draws.h5 --predict best.h5 || exit 99
"$ANPE" infer m.h5 mocks.h5 -q -s 200 -o other.csv -p more.h5 --seed 5 || exit 99

# is_pdf FILE PAGES WIDTH HEIGHT (points)
is_pdf() {
    [ "$(head -c 5 "$1")" = '%PDF-' ] && tail -c 6 "$1" | grep -q '%%EOF' &&
        [ "$(grep -acE '/Type /Page( |$)' "$1")" = "$2" ] && grep -aq "MediaBox \[ 0 0 $3 $4 \]" "$1" &&
        [ "$(wc -c <"$1")" -gt 4000 ]
}

is_svg() { # FILE WIDTH HEIGHT
    tail -n 1 "$1" | grep -q '</svg>' && grep -q "width=\"$2p*t*\" height=\"$3p*t*\"" "$1" &&
        [ "$(grep -c '<path' "$1")" -gt 60 ]
}

# Over 16 colours (edges are smoothed) and 1 % ink is no empty frame; 60 % would be a spill.
is_png() { # FILE WIDTH HEIGHT
    "$image_check" "$1" >size && awk -v w="$2" -v h="$3" \
        '{ exit !($1 == w && $2 == h && $3 > 16 && $4 > 1 && $4 < 60) }' size
}

# draws NAME WHAT ARGUMENTS: in all formats, 120 x 90 mm: 340 x 255 points, 472 x 354 pixels at 100 dpi.
draws() {
    figure=$1
    shift
    for format in png pdf svg; do
        run "$ANPE" plot "$@" -o "fig.$format" --size 120x90 --dpi 100
        check "$figure: $format" test "$status" = 0 -a ! -s err
    done
    check "$figure: the PDF has one page of the size" is_pdf fig.pdf 1 340 255
    check "$figure: the SVG has the size and marks" is_svg fig.svg 340 255
    if [ -x "$image_check" ]; then
        check "$figure: the PNG has the size and is not blank" is_png fig.png 472 354
    else
        skip "$figure: the PNG is not blank" "zlib.h is not installed"
    fi
    rm -f fig.*
}

draws truth truth m.h5 --labels teff,logg,fe_h
draws "catalogue against mocks" truth cat.fits --compare mocks.h5 --labels teff,rv
draws "catalogue against catalogue" truth cat.fits --compare other.csv --labels logg --column logg=teff
draws fit fit best.h5 --row 3
draws "zoom of a fit" fit best.h5 --zoom 15500:15600 -z 16000:16010 --title 'Two # windows'
"$(dirname "$image_check")/make_spectrum" some_nan star.fits || exit 99
draws "a survey's spectrum" spectrum star.fits
draws "one of an HDF5 file of spectra" spectrum mocks.h5 --row 3 --zoom 15700:15800
draws "a survey's spectrum, lines named" spectrum star.fits --lines --zoom 16700:16850 -z 15700:15800
run "$ANPE" plot spectrum star.fits -o numbers.svg
check "a survey's spectrum: good pixels are said" grep -q 'read as apogee: 64[0-9][0-9] of 7214 pixels good' out
draws corner corner draws.h5 --row 2 --labels teff,logg --truth mocks.h5
draws "two posteriors" corner draws.h5 more.h5 --labels teff,logg,rv --truth teff=5000 --truth rv=1
draws sbc sbc m.h5 -l teff,rv
draws pit pit m.h5 -l teff,rv
draws coverage coverage m.h5
draws curves curves m.h5 --title 'A & B < C > D'

run "$ANPE" plot report m.h5 -o report.pdf
check "report" test "$status" = 0
pages=$(sed -n 's/^report.pdf: \([0-9]*\) pages.*/\1/p' out)
check "report: pages of A4" is_pdf report.pdf "$pages" 595 842
cp plain.h5 again.h5
run "$ANPE" validate again.h5 -n 60 -s 40 -o pages.pdf --quiet
check "validate -o REPORT.pdf: the same pages" is_pdf pages.pdf "$pages" 595 842
run "$ANPE" validate again.h5 -n 60 -o pages.pdf --dry
check "no pages without a stored result" test "$status" = 2
rm -f again.h5
run "$ANPE" plot truth m.h5 -o natural.pdf --labels teff --json
check "one panel is as wide as a column" grep -q '"width_mm": 88' out
check "the truth is printed" sh -c "'$ANPE' plot truth m.h5 -o t.png -l teff | grep -q '^  teff *K *60 '"
run "$ANPE" plot corner draws.h5 -o same.svg -q && cp same.svg first.svg
run "$ANPE" plot corner draws.h5 -o same.svg -q
check "equal input gives an equal figure" cmp same.svg first.svg

# ---- what cannot be drawn --------------------------------------------------------------------------
rm -f ./*.png ./*.pdf ./*.svg
refused() { # NAME STATUS RE ARGUMENTS
    refusal=$1 wanted=$2 re=$3
    shift 3
    run "$ANPE" plot "$@"
    expect_error "$refusal" "$wanted" "$re"
}
refused "unknown plot" 1 "no plot 'coner'; did you mean 'corner'\?" coner draws.h5 -o a.png
refused "too many files" 1 'plot sbc wants MODEL, not 2 files' sbc m.h5 m.h5 -o a.png
refused "no file" 2 'anpe plot:' truth -o a.png
refused "unknown format" 1 'a.jpg: the name of a figure ends in .png, .pdf or .svg' curves m.h5 -o a.jpg
refused "no directory" 1 'no/a.png: ' curves m.h5 -o no/a.png
refused "output is input" 1 'best.h5|ends in' fit best.h5 -o best.h5
refused "not validated" 1 "plain.h5: no validation results in this model; 'anpe validate'" sbc plain.h5 -o a.png
refused "no such spectrum" 1 'star.fits: no spectrum 3; the file has 1' spectrum star.fits --row 3 -o a.png
refused "no wavelengths there" 1 'no good pixels there; the spectrum is from' spectrum star.fits -z 1:2 -o a.png
refused "a model is no spectrum" 1 "m.h5: no dataset 'flux'" spectrum m.h5 -o a.png
refused "draws are no model" 1 'draws.h5: plot coverage wants a model, which this file is not' coverage draws.h5 -o a.png
refused "a model has no draws" 1 'm.h5: plot corner wants posterior draws' corner m.h5 -o a.png
refused "draws are no model spectra" 1 'draws.h5: plot fit wants model spectra' fit draws.h5 -o a.png
refused "a catalogue alone" 1 'cat.fits: plot truth wants a model .*--compare' truth cat.fits -o a.png
refused "an empty file" 1 'nothing.h5: the file is empty' curves nothing.h5 -o a.png
refused "missing file" 1 'none.h5: cannot open: No such file' curves none.h5 -o a.png
refused "row of draws" 1 'draws.h5: no row 6, the file has 6: 0 to 5' corner draws.h5 --row 6 -o a.png
refused "row of spectra" 1 'best.h5: no row 6, the file has 6: 0 to 5' fit best.h5 --row 6 -o a.png
refused "unknown label" 1 "no label 'tef'; did you mean 'teff'\?" sbc m.h5 -l tef -o a.png
refused "no label" 1 'names no label' sbc m.h5 -l , -o a.png
refused "truth of an unknown label" 1 "no label 'tef'; did you mean" corner draws.h5 --truth tef=1 -o a.png
refused "truth that is no number" 1 "'x' is not a number" corner draws.h5 --truth teff=x -o a.png
refused "zoom outside" 1 'zoom 1:2: no good pixels there' fit best.h5 -z 1:2 -o a.png
refused "zoom backwards" 1 "zoom must be LO:HI, not '5:4'" fit best.h5 -z 5:4 -o a.png
refused "size" 2 "size must be WIDTHxHEIGHT in mm, not '10'" curves m.h5 --size 10 -o a.png
refused "far too large" 1 'at most 20000 pixels' curves m.h5 --size 9000x9000 -o a.png
refused "pages in one image" 1 'a.png: plot report has several pages: write a .pdf' report m.h5 -o a.png
refused "a column that is not there" 1 "no column 'TEF'" truth cat.fits --compare other.csv -l teff --column teff=TEF -o a.png
refused "a column that is not there, all labels" 1 "no column 'TEF'" truth cat.fits --compare other.csv --column teff=TEF -o a.png
refused "a column of an unknown label" 1 "no label 'tef' in cat.fits; did you mean 'teff'\?" truth cat.fits --compare other.csv --column tef=teff -o a.png
refused "a column without a name" 1 "column must be LABEL=NAME, not 'teff'" truth cat.fits --compare other.csv --column teff -o a.png
check "nothing was left" test -z "$(ls -A | grep -E 'png|pdf|svg|tmp|\.a\.')"

(ulimit -f 8; "$ANPE" plot corner draws.h5 -o full.png >out 2>err)
status=$?
expect_error "full disk" 1 'full.png: cannot write'
check "full disk: nothing was left" test -z "$(ls -A | grep full)"
finish
