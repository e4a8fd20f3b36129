#!/bin/sh
# anpe calibrate: log gf that were changed come back from a spectrum; published values of known accuracy stay; bad input.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$work" || exit 99

# A grey atmosphere, and lines of iron and magnesium with their true log gf.
awk 'BEGIN { print "TEFF 5500 GRAVITY 4.40 LTE\nTITLE t\nABUNDANCE SCALE 1.0 ABUNDANCE CHANGE 1 0.92 2 0.078"
    print "READ DECK6 48 RHOX,T,P,XNE,ABROSS,ACCRAD,VTURB"
    for (i = 0; i < 48; i++) {
        tau = 10 ^ (-5 + 0.15 * i); p = 1e5 * tau ^ 0.55; rhox = p / 10 ^ 4.4; t = 5500 * (0.75 * (tau + 0.667)) ^ 0.25
        printf "%.8E %.2f %.5E %.5E %.5E 0 0\n", rhox, t, p, p * 1e-4 / (1.380649e-16 * t), 0.55 * tau / rhox } }' >grey.dat
list() { # log gf of four lines of iron and one of magnesium
    printf "'  26.000 '    1   4\n'Fe I'\n"
    printf " %s  4.0 %s  -7.5  5.0 1E8 'x' 'x' 0 1 'Fe I'\n" 6703.000 "$1" 6706.000 "$2" 6706.700 "$3" 6711.000 "$4"
    printf "'  12.000 '    1   1\n'Mg I'\n 6714.000  5.1 %s  -7.2  5.0 1E8 'x' 'x' 0 1 'Mg I'\n" "$5"
}
list -1.5 -2.5 -2.8 -1.0 -1.5 >true.list
list -1.1 -2.8 -2.5 -1.0 -1.5 >wrong.list
config() { # list, further options
    cat <<END
simulator = { plugin = "lte"; atmospheres = ( { file = "grey.dat"; } ); lists = ( { file = "$1"; } ); free = [ "vmicro" ];
    teff = 5500.0; logg = 4.4; fe_h = 0.0; lambda_min = 6702.0; lambda_max = 6718.0; step = 1.5; fine = 1.5; };
instrument = { plugin = "apogee"; };
prior = ( { plugin = "independent"; labels = ( { name = "vmicro"; type = "uniform"; min = 1.2; max = 1.2000001; } ); } );
$2
END
}
star='{ file = "star.h5"; labels = [ "vmicro=1.2" ]; }'
config true.list >true.cfg
"$ANPE" simulate true.cfg -n 1 --own-grid -o star.h5 --quiet || exit 99
config wrong.list "calibrate = { resolution = 30000.0; sigma = 0.001; accuracy = 1.0; stars = ( $star ); };" >wrong.cfg

run "$ANPE" calibrate wrong.cfg -o out.lines --json --threads 1
check "calibrates" test "$status" = 0 -a -s out.lines
cp "$work/out" report.json
number() { sed -n "s/.*\"$1\": \([-+.0-9e]*\),*/\1/p" report.json; }
check "the difference to the star goes" \
    awk -v a="$(number after)" -v b="$(number before)" 'BEGIN { exit !(b > 0.005 && a > 0 && a < b / 30) }'
near() { # species, vacuum wavelength, log gf
    awk -F, -v s="$1" -v w="$2" -v g="$3" '$1 == s && ($2 - w) ^ 2 < 1e-2 { n++; if (($4 - g) ^ 2 < 0.02 ^ 2) good++ }
        END { exit !(n == 1 && good == 1) }' out.lines
}
check "of which the name is said" grep -q '"file": "star.h5"' report.json
check "log gf comes back: a line of its own" near "Fe I" 6704.85 -1.5
check "one of two that overlap" near "Fe I" 6707.85 -2.5
check "the other of them" near "Fe I" 6708.55 -2.8
check "one that was right stays" near "Fe I" 6712.85 -1.0
check "another element's" near "Mg I" 6715.85 -1.5
run "$ANPE" calibrate wrong.cfg -o two.lines --quiet --threads 2
check "1 and 2 threads give the same list, byte for byte" cmp out.lines two.lines

# The list is read back as it was written.
sed 's/wrong.list/out.lines/' wrong.cfg >again.cfg
run "$ANPE" calibrate again.cfg -o again.lines --json --set calibrate.steps=0
cp "$work/out" report.json
check "the list that was written gives the star" \
    awk -v a="$(number after)" 'BEGIN { exit !(a > 0 && a < 1e-3) }'
grep -v '^#' out.lines | cut -d, -f 1-9 >a
grep -v '^#' again.lines | cut -d, -f 1-9 >b
check "and nothing of it is lost" cmp a b

# What the configuration names is not replaced.
for input in true.list star.h5; do
    sed 's/wrong.list/true.list/' wrong.cfg >own.cfg
    run "$ANPE" calibrate own.cfg -o "$input" --quiet
    expect_error "$input is not replaced" 1 "$input: the output would replace an input"
done
run "$ANPE" synth true.cfg --set vmicro=1.2 -o true.list
check "nor by synth" test "$status" != 0
run "$ANPE" synth own.cfg --set vmicro=1.2 --opacity --window 6703:inf
expect_error "a window without an end" 1 "6703 to inf Angstrom: the spectrum is from"
run "$ANPE" synth own.cfg --set vmicro=1.2 --set vsini=100 -o wide.csv
check "a configuration with calibrate serves other commands" test "$status" = 0
check "pixels that see beyond the window by rotation are marked" \
    awk -F, '/^[0-9]/ { n++; bad += $NF != 0 } END { exit !(n > 100 && bad > 10 && bad < n) }' wide.csv

# A published value that is known to 0.001 dex is held, one that is not is changed.
sed 's/file = "wrong.list";/file = "wrong.list"; accuracy = 0.001;/; s/sigma = 0.001/sigma = 0.1/' wrong.cfg >held.cfg
run "$ANPE" calibrate held.cfg -o held.lines --quiet
check "accurate log gf are held" \
    awk -F, '/^Fe|^Mg/ { n++; if ($10 ^ 2 > 1e-4) bad = 1 } END { exit !(n == 5 && !bad) }' held.lines
# Van der Waals widths of strong lines.
sed 's/-7\.5  5\.0/-7.2  5.0/; s/6711.000  4.0 -1.0/6711.000  4.0 1.0/' true.list >strong.list
sed 's/-7\.5  5\.0/-7.5  5.0/; s/6711.000  4.0 -1.0/6711.000  4.0 1.0/' true.list >narrow.list
sed 's/true.list/strong.list/' true.cfg >strong.cfg
"$ANPE" simulate strong.cfg -n 1 --own-grid -o star.h5 --quiet || exit 99
sed 's/wrong.list/narrow.list/; s/accuracy = 1.0/accuracy = 0.02; damping = 0.5; reach = 200.0/' wrong.cfg >narrow.cfg
run "$ANPE" calibrate narrow.cfg -o wide.lines --quiet
check "widths of strong lines come back" awk -F, '$2 > 6712.5 && $2 < 6713.2 { good = ($11 - 0.3) ^ 2 < 0.06 ^ 2 }
    END { exit !good }' wide.lines

# Bad input: nothing is written.
bad() { # name, message, sed script on wrong.cfg
    sed "$3" wrong.cfg >bad.cfg
    run "$ANPE" calibrate bad.cfg -o none.lines
    expect_error "$1" 1 "$2"
    check "$1: no list" test ! -e none.lines
}
bad "a misspelt label" "the simulator has no label 'vmicr'; did you mean 'vmicro'?" 's/vmicro=1.2/vmicr=1.2/'
bad "a label without its value" "'vmicro' is no label: NAME=VALUE expected" 's/vmicro=1.2/vmicro/'
bad "a label that is missing" "label vmicro is missing" 's/"vmicro=1.2"/"rv=0"/'
bad "a label outside" "label vmicro outside \[0.1, 10\]: 77" 's/vmicro=1.2/vmicro=77/'
bad "no star" "at least one is needed" 's/stars = (.*labels = \[ "vmicro=1.2" \]; } )/stars = ()/'
bad "a star elsewhere" "no flux between" 's/lambda_min = 6702.0; lambda_max = 6718.0/lambda_min = 6800.0; lambda_max = 6810.0/'
bad "a spectrum that is less resolved" "has resolution 20000, which is not above" 's/file = "star.h5";/file = "star.h5"; resolution = 20000.0;/'
bad "no such array" "flix" 's/file = "star.h5";/file = "star.h5"; flux = "flix";/'
bad "windows" "the simulator's pixels have gaps" 's/lambda_min = 6702.0; lambda_max = 6718.0; step/windows = [ 6702.0, 6709.0, 6710.0, 6718.0 ]; step/'
bad "a simulator without lines" "has no lines whose log gf could be changed" \
    's/plugin = "lte".*/plugin = "lines"; free = [ "teff" ]; lambda_min = 6702.0; lambda_max = 6718.0;/; /^    teff = 5500/d; s/free = \[ "teff" \].*/& };/'
head -c 400 out.lines >cut.lines
bad "a list that was cut off" "cut.lines:" 's/wrong.list/cut.lines/'
run "$ANPE" calibrate wrong.cfg
check "an output is needed" test "$status" = 2
finish
