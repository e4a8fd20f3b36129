#!/bin/sh
# One posterior for several spectra of a star: of two models by `anpe infer --group`, of the segments of one by
# network.arms.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
cd "$work" || exit 99

# config WINDOWS NETWORK
config() {
    cat <<END
simulator = { plugin = "lines"; free = "teff"; logg = 2.5; };
prior = ({ plugin = "independent"; labels = (
    { name = "teff"; type = "uniform"; min = 4000.0; max = 6000.0; },
    { name = "rv"; type = "uniform"; min = -5.0; max = 5.0; }); });
instrument = { plugin = "spectrum"; windows = $1; resolution = 20000.0; medium = "vacuum"; };
noise = { plugin = "gaussian"; sigma = 0.01; };
featurizer = { plugin = "mlp"; hidden = [8]; };
flow = { plugin = "maf"; num_blocks = 1; hidden = 8; };
network = { context = 4; $2 };
train = { batch = 16; steps = 4; epochs = 1; n_validation = 16; };
END
}
# spectrum ID FIRST LAST
spectrum() {
    awk -v id="$1" -v first="$2" -v last="$3" 'BEGIN {
        print "source_id,wavelength,flux,error"
        for (w = first; w < last; w += 0.1)
            printf "%s,%.2f,%.4f,0.01\n", id, w, 1 - 0.3 * exp(-((w - first - 20) / 0.3) ^ 2)
    }'
}
rows() { grep -vc '^#\|^id,' "$1"; }
# column FILE NAME: its values, a line each
column() {
    awk -F, -v name="$2" '/^#/ { next } !n { for (n = 1; n <= NF && $n != name; n++); next } { print $n }' "$1"
}

config '[5150.0, 5190.0]' >blue.cfg
config '[6100.0, 6140.0]' >red.cfg
spectrum 1 5145 5195 >one_blue.csv
spectrum 1 6095 6145 >one_red.csv
spectrum 2 5145 5195 >two_blue.csv
spectrum 1 7000 7050 >one_far.csv
for arm in blue red; do
    run "$ANPE" train $arm.cfg -o $arm.h5 --quiet
    check "a model of the $arm" test "$status" = 0 -a -s $arm.h5
done

group() { run "$ANPE" infer blue.h5 --with red.h5 "$@" --quiet; }
group --group id ./*_blue.csv one_red.csv -o id.csv
check "spectra with one identifier" test "$status" = 0
check "a row a star" test "$(rows id.csv)" = 2
check "of so many spectra each" test "$(column id.csv n_members | tr '\n' ' ')" = "2 1 "
check "rv is each spectrum's own" lacks '^id,.*rv' id.csv
group --group id one_blue.csv one_red.csv one_far.csv -o far.csv
check "a spectrum that no model can use is a star without a posterior" test "$status" = 4 -a "$(rows far.csv)" = 2
check "and it is said why" grep -q 'warning: one_far.csv: .*no good pixel' "$work/err"
check "the others are what they were" test "$(column far.csv teff | head -1)" = "$(column id.csv teff | head -1)"

printf 'group,file,model\nS,one_blue.csv,blue.h5\nS,one_red.csv,red.h5\nT,two_blue.csv,\n' >table.csv
group --group table.csv -o table_out.csv
check "spectra that a table names" test "$status" = 0 -a "$(column table_out.csv id | tr '\n' ' ')" = "S T "
check "their numbers are those of the identifiers" test "$(column table_out.csv teff)" = "$(column id.csv teff)"

group --group table.csv -o again.csv --posterior draws.h5 --samples 300
check "draws of groups" test "$status" = 0
check "the catalogue is the same with them" test "$(column again.csv teff)" = "$(column id.csv teff)"
run "$ANPE" info draws.h5
check "as many of each star as were asked for" grep -Eq 'samples +2 x 300 x 1$' "$work/out"
group --group table.csv -o table.csv
expect "the table is no output" 1 "anpe: table.csv: the output would replace an input or another output"
group --group table.csv -o table_out.csv --posterior table.csv
check "nor is it one of draws" test "$status" = 1 -a "$(rows table.csv)" = 4

# refused FLAGS... -- what is said, an extended expression
refused() {
    for said; do :; done
    flags=
    while [ $# -gt 1 ]; do
        flags="$flags $1"
        shift
    done
    # shellcheck disable=SC2086
    group $flags -o refused.csv
    expect_error "refused:$flags" 2 "$said"
    check "and nothing is written" test ! -e refused.csv
}
refused --group id one_blue.csv --predict p.h5 'predict: not with --group, where a star has no pixels of its own'
refused --group id one_blue.csv --explain e.h5 'explain: not with --group'
refused --group id one_blue.csv --compare c.csv 'compare: not with --group, where chi2 is of several spectra'
refused --group id one_blue.csv --exact 'exact: not with --group, .*ask no simulator'
refused --group id one_blue.csv --samples 50 'samples with --group: how many draws --posterior writes'
refused --group table.csv one_blue.csv 'group TABLE names the spectra: give the model alone'
refused one_blue.csv 'with and --own go with --group'
group --group id one_blue.csv --own logg -o refused.csv
expect_error "a label that is none" 1 "logg"
printf 'group,file,model\nS,one_blue.csv,green.h5\n' >green.csv
group --group green.csv -o refused.csv
expect "a model that is none" 1 "anpe: green.csv: row 1: 'green.h5' is none of the models given"

# ---- arms ---------------------------------------------------------------------------------

config '[5150.0, 5190.0, 6100.0, 6140.0]' 'arms = true;' >arms.cfg
echo 'observe = { drop = 0.3; };' >>arms.cfg
run "$ANPE" train arms.cfg -o arms.h5 --quiet
check "a featurizer for each arm" test "$status" = 0 -a -s arms.h5
run "$ANPE" train arms.cfg -o joint.h5 --quiet --set network.arms=false
check "has parameters of its own" test "$status" = 0 -a "$(wc -c <arms.h5)" -gt "$(wc -c <joint.h5)"
{ cat one_blue.csv; sed 1d one_red.csv; } >both.csv
run "$ANPE" infer arms.h5 both.csv one_blue.csv one_red.csv -o arms.csv --quiet
check "both arms, and either" test "$status" = 0 -a "$(rows arms.csv)" = 3
check "their answers differ" test "$(column arms.csv teff | sort -u | wc -l)" = 3
run "$ANPE" train blue.cfg -o no.h5 --quiet --set network.arms=true
expect_error "arms of one segment" 1 'network.arms'
check "and there is no model" test ! -e no.h5
finish
