#!/bin/sh
# What the documents say of files, columns and code is true: the trees of docs/book/files.md against files
# of the command, its table of columns against a catalogue and --json, examples compiled and run.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
builddir=$(cd "${ANPE_BUILDDIR:-.}" && pwd) srcdir=$(cd "$ANPE_SRCDIR" && pwd)
tree=$builddir/tests/cli/tree
[ -x "$tree" ] || skip_all "tests/cli/tree is not built"
cd "$work" || exit 99

# ---- files ---------------------------------------------------------------------------------------

sed -e 's/^observe = .*/observe = { basis = 10; };/' \
    -e 's/^featurizer = .*/featurizer = { plugin = "mlp"; hidden = [ 16 ]; };/' \
    "$srcdir/tests/cli/small.cfg" >small.cfg
run "$ANPE" train small.cfg --quiet -o model.h5 --set train.epochs=1 --set train.n_sims=48
check "a model" test "$status" = 0
run "$ANPE" simulate model.h5 -n 3 -o mocks.h5 --observed --seed 5
check "mock spectra" test "$status" = 0
run "$ANPE" validate model.h5 -n 200 -s 20 --exact 2 --quiet
check "a validation" test "$status" = 0

# section TITLE: the lines of files.md from "## TITLE" up to the next heading.
section() {
    awk -v title="## $1" 'index($0, "## ") == 1 { on = index($0, title) == 1; next } on' "$srcdir/docs/book/files.md"
}
# words: what stands in backticks, a name each.
words() { grep -o '`[^`]*`' | tr -d '`' | sed 's/\/$//; s/.*\///; /^[A-Za-z0-9_]*$/!d; /^$/d' | sort -u; }
# Groups in bold print are their last name, as are all others: "validation/thresholds/" is "thresholds".
names() { sed '/^parameters\/./d; s/\/$//; s/.*[\/@]//; s/^@//' | sort -u; }

# compare TITLE FILES WORDS: all that the file has is in the section, and all that the section has is in the file or
# among the words: what another file of the kind has, or is no name of the file.
compare() {
    section "$1" | words >documented
    for file in $2; do "$tree" "$file"; done | names >written
    check "files.md, $1: names all that the file has" none comm -13 documented written
    echo "$3" | tr ' ' '\n' | sort -u - written >there
    check "files.md, $1: names nothing that the file has not" none comm -23 documented there
}
run "$ANPE" train small.cfg --quiet -o fit.h5 --set train.epochs=1 --set train.n_sims=48 --set observe.newton=2
check "a model whose inputs are a fit" test "$status" = 0
compare "Models" "model.h5 fit.h5" "curve scatter round observed inputs exclude training created"
run "$ANPE" simulate model.h5 -n 3 -o own.h5 --own-grid
check "simulations on the simulator's own pixels" test "$status" = 0
# what stored simulations of one's own may have instead, and the attribute pixels' value
compare "Simulations" "mocks.h5 own.h5" "x simulator"

run "$ANPE" infer model.h5 mocks.h5 -o stars.h5 --exact --exact-max 2000 -p draws.h5 --predict spectra.h5 --explain pixels.h5
check "a catalogue, draws, model spectra and gradients" test "$status" = 0
compare "Posterior draws" draws.h5 "mcmc"
compare "Model spectra" spectra.h5 ""
compare "Gradients" pixels.h5 ""
run "$ANPE" noise apogee mocks.h5 -o noise.h5
check "a noise library" test "$status" = 0
compare "Noise libraries" noise.h5 ""
printf '1 2 3\n10 20 30\n0.5 0.25 0.125\n4 5 6\n1 1 1\n2 2 2\n' >cannon.txt
printf '5000 2\n' >pivots.txt
run "$ANPE" import cannon cannon.txt --pivots pivots.txt --labels teff,logg --range 4000:6000,0:5 -o emulator.h5
check "an emulator" test "$status" = 0
# What networks have instead, and words that attributes have as values.
compare "Emulators" emulator.h5 "w0 b0 w1 basis mean components dense per_pixel cannon leaky_relu relu sigmoid linear none x wavelength scatter \
domain_min domain_max"

# ---- columns -------------------------------------------------------------------------------------

run "$ANPE" infer model.h5 mocks.h5 -o stars.csv --exact --exact-max 2000 --json
cp out stars.json
check "a catalogue" test -s stars.csv
label='(teff|logg|fe_h|mg_fe|vmicro|vmacro|rv)'
grep -v '^#' stars.csv | head -1 | tr , '\n' | sed -E "s/^$label(_|\$)/LABEL\2/" | sort -u >columns
section "Catalogues" | sed 's/LABEL`_\([a-z0-9_]*\)`/`LABEL_\1`/g; s/LABEL,/`LABEL`,/' |
    grep -o '`[^`]*`' | tr -d '`' | sort -u >described
check "files.md describes every column" none comm -23 columns described
sed -E 's/^LABEL_//; s/^LABEL$/median/; s/^exact_//' columns | while read -r name; do
    grep -q "\"$name\":" stars.json || echo "$name"
done >missing
# The catalogue in HDF5: the same columns, each with its attributes, and keywords for the whole.
"$tree" stars.h5 | sed '/@/d' | sed -E "s/^$label(_|\$)/LABEL\2/" | sort -u >datasets
check "a catalogue in HDF5 has the same columns" cmp columns datasets
"$tree" stars.h5 | sed -n 's/.*@//p' | sed -E 's/^(FLAG|SET)[0-9]*$/\1/' | sort -u >attributes
section "Catalogues" | words >words
check "files.md describes every attribute of it" none comm -23 attributes words
# texts that are empty are left out
check "--json has every column" none grep -vx reason missing

# ---- examples ------------------------------------------------------------------------------------

cc=$(sed -n 's/^CC = //p' "$builddir/Makefile") flags=$(sed -n 's/^SANITIZE = //p' "$builddir/Makefile")
# compile NAME: NAME.c with the library of this build, by the flags that the installed one has.
compile() {
    # shellcheck disable=SC2086
    "$builddir/libtool" --silent --tag=CC --mode=link $cc -std=c17 -Wall -Wextra -Werror $flags \
        -I"$srcdir/include" -o "$1" "$1.c" "$builddir/libanpe.la" -lm
}
{
    printf '#include <anpe/anpe.h>\n#include <stdio.h>\nint main(void)\n{\n'
    sed -n '1,/^ \*\/$/s/^ \*     //p' "$srcdir/include/anpe/anpe.h" | sed 's/apogee\.h5/model.h5/'
    printf 'return model != NULL || ctx != NULL;\n}\n'
} >header.c
check "the example of anpe.h compiles" compile header
run ./header
expect "the example of anpe.h runs" 0
{
    sed -n 's/^    //p; /^$/p' "$srcdir/docs/book/embedding.md"
    cat <<'EOF'
#include <math.h>
#include <stdlib.h>
int main(void)
{
    static float flux[20000], sigma[20000];
    static double theta[1000 * 20];
    for (int i = 0; i < 20000; i++) {
        flux[i] = 1;
        sigma[i] = 0.01f;
    }
    const anpe_status status = posterior("model.h5", flux, sigma, theta);
    printf("%s\n", isfinite(theta[0]) && theta[0] >= 4000 && theta[0] <= 6500 ? "teff" : "nothing");
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
EOF
} >embedding.c
check "the example of embedding.md compiles" compile embedding
run ./embedding
expect_out "the example of embedding.md runs" 0 teff

# ---- commands and links --------------------------------------------------------------------------

# Every flag of every command line that README.md and the book show is one that there is.
cat "$srcdir/README.md" "$srcdir"/docs/book/*.md |
    awk '/^    anpe [a-z]/ || more { line = line $0; more = sub(/\\$/, "", line); if (!more) { print line; line = "" } }' |
    sed 's/^ *//; s/ # .*//' >commands
check "there are command lines in the book" test "$(wc -l <commands)" -gt 10
while read -r anpe command rest; do
    run "$ANPE" "$command" --help
    check "$anpe $command of the book is a command" test "$status" = 0
    for flag in $(echo "$rest" | grep -o -e ' --[a-z][a-z-]*'); do
        check "anpe $command $flag of the book" grep -Eqe "^  .{3} $flag( |\$)" out
    done
done <commands
# What README.md links to is there, and it names every page of the book.
grep -o '](docs/[A-Za-z/_.]*' "$srcdir/README.md" | sed 's/](//' | sort -u >links
while read -r link; do
    check "README.md links to $link" test -f "$srcdir/$link"
done <links
for page in "$srcdir"/docs/book/*.md; do
    check "README.md names ${page##*/}" grep -qx "docs/book/${page##*/}" links
done
finish
