#!/bin/sh
# docs/plugin-template builds against the build tree and shows up with its options. (What is installed
# is tried by `make installcheck`.)
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
command -v pkg-config >/dev/null || skip_all "pkg-config is not installed"
cp "$ANPE_SRCDIR"/docs/plugin-template/* "$work" && chmod -R u+w "$work" || exit 99
# pkg-config prefers anpe-uninstalled.pc to anpe.pc
unset MAKEFLAGS MFLAGS MAKELEVEL
PKG_CONFIG_PATH=$ANPE_BUILDDIR
export PKG_CONFIG_PATH
run make -s -C "$work" CFLAGS='-Wall -Wextra -Wconversion -Werror'
expect "the template compiles without a remark" 0

ANPE_PLUGIN_PATH=$work:$ANPE_PLUGIN_PATH
run "$ANPE" plugins simulator/one_line
check "it is found" test "$status" = 0
check "it says what it is" grep -qx "simulator/one_line 1.0" "$work/out"
for option in $(sed -n 's/.*ANPE_OPT_[A-Z]*(one_line_options, \([a-z_]*\),.*/\1/p' "$work/one_line.c"); do
    check "option $option is shown" grep -q "^  $option  (" "$work/out"
    check "option $option is in its README" grep -q "^| \`$option\` |" "$work/README.md"
done
run "$ANPE" plugins simulator/one_lime
expect_error "a misspelt name" 1 "no simulator 'one_lime' .*did you mean 'one_line'"
finish
