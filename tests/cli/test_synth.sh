#!/bin/sh
# anpe synth: one spectrum of a configuration, an emulator, on an instrument; its lines; what cannot be computed.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$work" || exit 99
cat >lines.cfg <<'END'
simulator = { plugin = "lines"; free = [ "teff", "logg", "fe_h" ]; lambda_min = 15880.0; lambda_max = 15900.0; step = 5.0; };
END
star="--set teff=5000 --set logg=2.5 --set fe_h=0"
synth() { "$ANPE" synth "$@"; }

# shellcheck disable=SC2086
run synth lines.cfg $star -o a.csv
expect_out "a spectrum" 0 "a.csv: 77 pixels, 15879.88 to 15900.02 Angstrom"
check "its columns" grep -q "^wavelength,flux,mask$" a.csv
check "its labels" grep -q "^# LABEL1 = teff=5000 / K" a.csv
check "as many rows" test "$(grep -c "^1" a.csv)" = 77
# shellcheck disable=SC2086
for to in a.h5 a.fits; do
    run synth lines.cfg $star -o $to --quiet
    check "to $to" test "$status" = 0 -a -s $to
done
# shellcheck disable=SC2086
run synth lines.cfg $star --set rv=100 --set vsini=10 --resolution 20000 -o b.csv --quiet
check "moved and broadened" test "$status" = 0
# 15879.88 sqrt((1 + b) / (1 - b)), b = 100 km/s over c
check "by its velocity" grep -q "^15885.18" b.csv
check "nearly all of its pixels are good" test "$(grep -c ",0$" b.csv)" -gt 60

# Lines, to the letter.
# shellcheck disable=SC2086
run synth lines.cfg $star --lines 2
expect_out "lines" 0 "species        wavelength    E_low   log gf    depth
Si I           15892.7510    5.082    0.060   0.3281
Si I           15888.7940    5.954   -0.900   0.3213"
# shellcheck disable=SC2086
run synth lines.cfg $star --lines 9 --window 15888:15889 -o lines.csv --json
check "lines of a window" test "$status" = 0 -a "$(grep -c "^Si I,15888" lines.csv)" = 1
check "as JSON" grep -q '"log_gf": -0.9' "$work/out"
# shellcheck disable=SC2086
run synth lines.cfg $star --opacity
expect "a simulator without opacities" 1 \
    "anpe: simulator 'lines' does not say what its continuous opacity comes from"

# On an instrument, with and without noise.
cat >apogee.cfg <<'END'
simulator = { plugin = "lines"; free = [ "teff", "logg" ]; step = 25.0; };
prior = ({ plugin = "independent"; labels = (
    { name = "teff"; type = "uniform"; min = 4000.0; max = 6500.0; },
    { name = "logg"; type = "uniform"; min = 0.5; max = 5.0; },
    { name = "rv"; type = "uniform"; min = -50.0; max = 50.0; } ); });
instrument = { plugin = "apogee"; };
noise = { plugin = "gaussian"; sigma = 0.01; };
observe = { sigma_floor = 0.0; };
END
run synth apogee.cfg --set teff=5000 --set logg=2.5 --pixels -o clean.csv
expect_out "on an instrument's pixels" 0 "clean.csv: 7214 pixels, 15168.13 to 16936.75 Angstrom"
check "error bars are not there" grep -q "^wavelength,flux,mask$" clean.csv
run synth apogee.cfg --set teff=5000 --set logg=2.5 --observed --seed 3 -o noisy.csv --quiet
check "an observation" test "$status" = 0
check "has error bars" grep -q "^wavelength,flux,sigma,mask$" noisy.csv
grep "^1" clean.csv >clean && grep "^1" noisy.csv >noisy
paste -d, clean noisy | awk -F, '$3 == 0 && $7 == 0 { d = ($5 - $2) / $6; s += d * d; n++ }
    END { exit !(n > 7000 && s / n > 0.9 && s / n < 1.1) }'
# 7000 squares of normal numbers: 1 +- 0.017
check "that say how far off it is" test "$?" = 0

# Bad input: nothing is written.
run synth lines.cfg --set teff=5000 -o bad.csv
expect "labels without a value" 1 "anpe: no value for logg, fe_h: --set LABEL=VALUE"
# shellcheck disable=SC2086
run synth lines.cfg $star --set teff=9000 -o bad.csv
expect "a label outside" 1 "anpe: --set teff=9000: outside [3500, 8000] K"
run synth lines.cfg --set tef=5000 -o bad.csv
expect_error "no such label" 1 "^anpe: --set tef=5000: no such label; did you mean 'teff'\? \(known here: teff, logg"
run synth lines.cfg --set teff=hot -o bad.csv
expect "no number" 1 "anpe: --set teff=hot: a number is expected"
# shellcheck disable=SC2086
run synth lines.cfg $star -o bad.txt
expect_error "an unknown kind of file" 1 "bad.txt"
# shellcheck disable=SC2086
run synth lines.cfg $star --lines 3 --window 5000:6000
expect "a window elsewhere" 1 "anpe: 5000 to 6000 Angstrom: the spectrum is from 15879.88 to 15900.02 (vacuum)"
# shellcheck disable=SC2086
run synth lines.cfg $star
expect_error "nowhere to write" 2 "^anpe synth: --output FILE is missing"
# shellcheck disable=SC2086
run synth lines.cfg $star --lines 3 --pixels
expect_error "lines of an instrument" 2 "of the star, not of what an instrument makes of it"
# shellcheck disable=SC2086
run synth lines.cfg $star --pixels -o bad.csv
expect_error "no instrument" 1 "instrument"
run synth apogee.cfg --set teff=5000 --set logg=2.5 --set rv=80 --pixels -o bad.csv
expect "a velocity that the prior does not have" 1 "anpe: --set rv=80: outside [-50, 50] km/s"
check "nothing was written" test ! -e bad.csv -a ! -e bad.txt
finish
