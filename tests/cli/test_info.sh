#!/bin/sh
# anpe info of files of spectra: what they are and what reads them.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
make=${ANPE_BUILDDIR:-.}/tests/cli/make_spectrum
[ -x "$make" ] || skip_all "tests/cli/make_spectrum is not built"
case $make in /*) ;; *) make=$PWD/$make ;; esac
cd "$work" || exit 99

"$make" good good.fits || exit 99
run "$ANPE" info good.fits
expect_out "an APOGEE file" 0 "what           APOGEE combined spectrum, 1 row
survey         APOGEE
instrument     apogee
object         made-up star
spectra        1
medium         vacuum
frame          rest frame of the star
range          15168.13 to 16936.75 Angstrom, vacuum, of the good pixels
0              made-up star                   S/N 100      7214 of 7214 pixels good"
run "$ANPE" info good.fits --json
check "an APOGEE file, as JSON" grep -q '"n_good": 7214' out
check "an APOGEE file, as JSON: its instrument" grep -q '"instrument": "apogee"' out
"$make" nan nan.fits || exit 99
run "$ANPE" info nan.fits
check "a spectrum that its instrument refuses is said to be so" \
    grep -q '^0 *refused: nan.fits: no good pixel among 7214' out

{ echo "wavelength flux error"; awk 'BEGIN { for (i = 0; i < 500; i++) print 5000 + i / 4, 1, 0.02 }'; } >star.txt
run "$ANPE" info star.txt
check "plain text: what would read it" \
    grep -qx 'options        windows = \[ 4998.5, 5126.3 \]; resolution = 8099.4; medium = "air";' out
check "plain text: medium" grep -qx 'medium         not said' out
check "plain text: S/N" grep -q '^0 .* S/N 60' out
run "$ANPE" plugins instrument/spectrum
check "the options that are named are the instrument's" grep -q '^  windows ' out


# says NAME FILE LINE...: the file is read, and `anpe info` prints these lines.
says() {
    title=$1 file=$2
    run "$ANPE" info "$file"
    check "$title: it is read" test "$status" = 0
    shift 2
    for line; do
        check "$title: $line" grep -qE "^$line" out
    done
}
# numbers FORMAT: 500 lines of wavelength, flux and signal-to-noise ratio, or what FORMAT takes of them
numbers() { awk -v f="$1\n" 'BEGIN { for (i = 0; i < 500; i++) printf f, 5000 + i / 4, 1, 50 }'; }
{ echo "# wave flux snr"; numbers "%.2f %g %g"; } >ratio.txt
says "names in a comment; a signal-to-noise ratio" ratio.txt '0 .* S/N 60.67 '
{ echo "# wave (nm)  flux  snr"; numbers "%.2f %g %g"; } >ratio_nm.txt
run "$ANPE" info ratio_nm.txt
check "a unit in a comment" grep -q '^range          50000.00 to ' out
{ echo "# wave (A)  flux (1e-17 erg/s/cm2/A)  ivar"; numbers "%.2f %g 2500"; } >units.txt
says "units with blanks in them" units.txt '0 .* S/N 60.67 '
{ echo "# wave flux snr"; echo "#-------"; numbers "%.2f %g %g"; } >ruled.txt
says "names that are not in the last comment" ruled.txt '0 .* S/N 60.67 '
{ echo "# ivar is the last, see the paper"; numbers "%.2f %g 2500"; } >unsure.txt
run "$ANPE" info unsure.txt
expect_error "a comment that speaks of other errors" 1 "what is the third[?] say instrument.error"
{ echo "wavelength,flux (sky),flux (star),error"; numbers "%.2f,%g,1,0.02"; } >twins.csv
run "$ANPE" info twins.csv
expect_error "two columns of one name" 1 "which of 'flux .sky.' and 'flux .star.' is meant"
{
    echo "wavelength,flux,flux_error"
    for star in 1 2 3; do
        awk -v s="$star" 'BEGIN { for (k = 0; k < 3; k++) { printf "%s\"[", k ? "," : ""
            for (i = 0; i < 300; i++) printf "%s%s", i ? ", " : "", k == 0 ? 5000 + i / 4 : k == 1 ? s : 0.02
            printf "]\"" } print "" }'
    done
} >rows.csv
says "a row a spectrum, without identifiers" rows.csv 'spectra        3'
{ echo "! one"; echo "; two"; numbers "%.2f %g 0.02"; echo "% three"; } >comments.txt
says "comments of every kind" comments.txt '0 .* S/N 60.67 '
numbers "%.8E" | sed 's/E/D/g; s/$/ 1.0D+00 2.0d-02/' >fortran.txt
says "exponents as Fortran writes them" fortran.txt '0 .* S/N 60.67 ' 'range          5000.00 to 5124.75'
{ echo "lambda;flux;sigma"; numbers "%.2f;%g;0.02" | tr . ,; } >euro.csv
says "decimal commas between semicolons" euro.csv '0 .* S/N 60.67 ' 'range          5000.00 to 5124.75'
{
    echo "***Reduced spectrum of 'HD 1'"
    echo " 1000 2"
    for first in 500 511; do
        awk -v a="$first" 'BEGIN { for (i = 0; i < 500; i++) printf "%10.4f %g %g\n", a + i / 40, 1, 0.02 }'
    done
} >star.s
says "PolarBase: overlapping orders, nm, air" star.s 'what .* 2 orders' 'medium         air' 'range          5000.00 to 5234.75'
awk 'BEGIN { for (i = 0; i < 500; i++) print 5000 + (i * 137) % 500, 1, 0.02 }' >shuffled.txt
run "$ANPE" info shuffled.txt
expect_error "wavelengths that go back and forth are no orders" 1 "^anpe: shuffled.txt: .*does not go on from the one"
for kind in kpf desi mpdaf espresso ratio; do
    "$make" $kind $kind.fits || exit 99
done
says "two arms by their names" desi.fits 'what .* 2 orders' 'spectra        2' 'medium         vacuum' \
    'range          5000.00 to 5899.50' '0 *39627000000000001 ' '1 *39627000000000002 .* S/N 32.5 '
says "arms of unlike numbers of orders; not the sky's" kpf.fits 'what .* 5 orders' 'medium         vacuum' \
    'range          5000.00 to 7999.50'
says "a variance named STAT" mpdaf.fits '0 .* S/N 62.51 '
check "a variance named STAT: nothing is estimated" test ! -s err
says "wavelengths beside those of air are vacuum's" espresso.fits 'medium         vacuum'
says "one ratio for a spectrum is no error bar of a pixel" ratio.fits
check "one ratio for a spectrum: the log says so" grep -q 'no error bars; taken from the scatter' err

# refuses NAME FILE WHY
refuses() {
    run "$ANPE" info "$2"
    expect "$1" 1 "anpe: $2: not a spectrum that can be read: $3"
}
echo "no spectrum" >notes.txt
refuses "a file of nobody's" notes.txt "none of its columns is known as wavelengths: no, spectrum; name it, e.g. \
instrument.wavelength_column, flux_column, error_column, mask_column"
echo "<!DOCTYPE html><html>404" >page.fits
refuses "a page of a failed download" page.fits "HTML or XML, not a table of numbers (a download that failed?)"
echo '{"flux": [1, 2]}' >flux.json
refuses "JSON" flux.json "JSON, not a table of numbers"
head -c 3000 /dev/zero >zeros.dat
refuses "bytes" zeros.dat "not text: it has bytes that are 0"
run env ANPE_PLUGIN_PATH="$work" "$ANPE" info star.txt
case $(cat err) in
*"no instrument is installed"*) check "without any plugin" test "$status" = 1 ;;
*) skip "without any plugin" "others are installed on this machine" ;;
esac
: >empty.txt
run "$ANPE" info empty.txt
expect "an empty file" 1 "anpe: empty.txt: the file is empty"
run "$ANPE" info nowhere.fits
expect_error "no file" 1 '^anpe: nowhere.fits: cannot open: No such file or directory'

lamost=$ANPE_SHARED/data/lamost/spec-55939-GAC_061N46_V3_sp07-078.fits
if [ -r "$lamost" ]; then
    run "$ANPE" noise apogee "$lamost" -o library.h5
    expect_error "a file of another survey" 1 \
        "this is a file of LAMOST, which the instrument lamost_lrs reads; the one asked for is apogee"
else
    skip "a file of another survey" "no shared data"
fi
finish
