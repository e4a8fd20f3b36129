#!/bin/sh
# The simulator `lte` against other codes, on the same atmospheres and lists: chemistry, continuum, lines, observed stars.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python "numpy, h5py"
forward=$ANPE_SHARED/data/forward
[ -d "$forward" ] || skip_all "the data of the forward model is not here (ANPE_SHARED)"
$python "$ANPE_SRCDIR/tests/long/calibrate.py" "$forward" 15200 15500 || exit 99 # atlas9.h5, for the group structure
for group in chemistry continuum hydrogen structure lines stars; do
    say "$group"
    $python "$ANPE_SRCDIR/tests/long/lte.py" "$ANPE_BUILDDIR/tests/long/lte_probe" "$forward" $group >$group.out || exit 99
    while IFS='|' read -r what name value operator bound; do
        case $what in
        demand) demand "$name" "$value" "$operator" "$bound" ;;
        *) figure "$name" "$value" ;;
        esac
    done <$group.out
done
finish
