#!/bin/sh
# Every library that anpe's own files ask the dynamic linker for is in the table of docs/LICENCES.md.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
command -v readelf >/dev/null || skip_all "readelf (Debian: binutils) is not installed"
cd "$ANPE_BUILDDIR" || exit 99

# libhdf5_serial.so.103 -> libhdf5_serial
needed() {
    for file in .libs/libanpe.so .libs/anpe plugins/.libs/*.so; do
        [ ! -f "$file" ] || readelf -d "$file"
    done | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sed 's/\.so.*//' | sort -u | grep -v '^libanpe$'
}

listed() {
    sed -n 's/^| \([^|]*\) |.*/\1/p' "$ANPE_SRCDIR/docs/LICENCES.md" | tr -d ' ' | tr ',' '\n' |
        grep -qx -- "$1"
}

# The sanitizers are linked in only when a developer asks for them.
for library in $(needed | grep -vE '^lib(asan|ubsan)$'); do
    check "$library is in LICENCES.md" listed "$library"
done
check "a library that is not there is noticed" test "$(listed libreadline && echo yes)" = ""
finish
