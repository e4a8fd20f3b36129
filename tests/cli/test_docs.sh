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
run "$ANPE" train small.cfg --quiet -o model.h5 --set train.epochs=1
check "a model" test "$status" = 0
run "$ANPE" simulate model.h5 -n 3 -o mocks.h5 --observed --seed 5
check "mock spectra" test "$status" = 0
run "$ANPE" validate model.h5 -n 200 -s 20 --exact 20 --quiet
check "a validation" test "$status" = 0

# section TITLE: the lines of files.md from "## TITLE" up to the next heading.
section() {
    awk -v title="## $1" 'index($0, "## ") == 1 { on = index($0, title) == 1; next } on' "$srcdir/docs/book/files.md"
}
# words: what stands in backticks, a name each.
words() { grep -o '`[^`]*`' | tr -d '`' | sed 's/\/$//; s/.*\///; /^[a-z0-9_]*$/!d; /^$/d' | sort -u; }
# Groups in bold print are their last name, as are all others: "validation/thresholds/" is "thresholds".
names() { sed '/^parameters\/./d; s/\/$//; s/.*[\/@]//; s/^@//' | sort -u; }

section "Models" | words >documented
run "$ANPE" train small.cfg --quiet -o fit.h5 --set train.epochs=1 --set observe.newton=2
check "a model whose inputs are a fit" test "$status" = 0
for model in model.h5 fit.h5; do "$tree" $model; done | names >written
check "files.md names all that a model has" none comm -13 documented written
# What this model does not have, and why.
printf '%s\n' curve scatter round observed inputs exclude training created >elsewhere
sort -u elsewhere written >there
check "files.md names nothing that no model has" none comm -23 documented there

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
    awk '/^## In a pipeline/ { on = 1 } on && /^Compile|^`anpe_predict/ { exit } on' "$srcdir/README.md" | sed -n 's/^    //p; /^$/p'
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
} >readme.c
check "the example of README.md compiles" compile readme
run ./readme
expect_out "the example of README.md runs" 0 teff
finish
