#!/bin/sh
# docs/plugin-template builds against the build tree without a remark, and the chapter "A new spectrograph in an
# afternoon" works as it stands. (What is installed is tried by `make installcheck`.)
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
command -v pkg-config >/dev/null || skip_all "pkg-config is not installed"
cp "$ANPE_SRCDIR"/docs/plugin-template/* "$ANPE_SRCDIR/docs/book/new_spectrograph.md" "$work" &&
    chmod -R u+w "$work" || exit 99
# pkg-config prefers anpe-uninstalled.pc to anpe.pc
unset MAKEFLAGS MFLAGS MAKELEVEL
PKG_CONFIG_PATH=$ANPE_BUILDDIR
export PKG_CONFIG_PATH
run make -s -C "$work" CFLAGS='-Wall -Wextra -Wconversion -Werror'
expect "the templates compile without a remark" 0

ANPE_PLUGIN_PATH=$work:$ANPE_PLUGIN_PATH
run "$ANPE" plugins simulator/one_line
check "it is found" test "$status" = 0
check "it says what it is" grep -qx "simulator/one_line 1.0" "$work/out"
for option in $(sed -n 's/.*ANPE_OPT_[A-Z]*(one_line_options, \([a-z_]*\),.*/\1/p' "$work/simulator_one_line.c"); do
    check "option $option is shown" grep -q "^  $option  (" "$work/out"
    check "option $option is in its README" grep -q "^| \`$option\` |" "$work/README.md"
done
run "$ANPE" plugins simulator/one_lime
expect_error "a misspelt name" 1 "no simulator 'one_lime' .*did you mean 'one_line'"

# The chapter's commands, as they stand.
cd "$work" || exit 99
make -s clean
sed -n 's/^    \$ //p' new_spectrograph.md >steps
check "the chapter has commands" test "$(wc -l <steps)" -gt 6
run sh -ec 'anpe() { "$ANPE" "$@"; }; . ./steps'
check "the chapter's commands work" test "$status" = 0
[ "$status" = 0 ] || sed 's/^/    ! /' err
check "anpe info knows the file" grep -qx 'survey         afternoon' out
check "the star is known by its name" grep -q '^HD1,star.txt,0,' star.csv
check "what was set is recorded" grep -q '^# SET0.*instrument.largest_error=0.02' strict.csv

# What the chapter asks of a reader.
: >empty.txt
head -c 2000 star.txt >cut.txt
echo "5000 1 0.01 and more" >>cut.txt
for file in empty.txt cut.txt; do
    run "$ANPE" infer afternoon.h5 $file -o no.csv
    expect_error "$file is refused" 1 "^anpe: $file: expected '# afternoon STAR', then lines"
done
run "$ANPE" infer afternoon.h5 star.txt -o no.csv --set instrument.colour=1
expect_error "an option that is not one of reading" 1 'the network has learned with it.*\(instrument.NAME: largest_error\)'
run "$ANPE" infer afternoon.h5 star.txt -o no.csv --set instrument.largest_eror=1
expect_error "one that is misspelt" 1 "lies now; did you mean 'largest_error'\?\$"
printf '# afternoon HD2\n5000 1 0.6\n5000.05 nan 0.1\n4000 1 0.1\n' >bad.txt
run "$ANPE" infer afternoon.h5 bad.txt -o no.csv
expect_error "a spectrum without a good pixel" 1 'no good pixel'
lamost=$ANPE_SHARED/data/lamost/spec-55939-GAC_061N46_V3_sp07-078.fits
if [ -r "$lamost" ]; then
    run "$ANPE" infer afternoon.h5 "$lamost" -o no.csv
    expect_error "a file of another survey" 1 'this is a file of LAMOST, which the instrument lamost_lrs reads'
fi
finish
