#!/bin/sh
# The emulators that come with instruments, through their default configurations: labels, ranges, windows and pixels of
# the one fit the other.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
source=$(cd "$ANPE_SRCDIR" && pwd)
cd "$work" || exit 99

for config in "$source"/instruments/*/*.cfg; do
    directory=$(dirname "$config")
    survey=$(basename "$directory")
    emulator=$directory/$(sed -n 's/.*file = "\(.*emulator.h5\)".*/\1/p' "$config")
    [ "$(basename "$config")" = "$survey.cfg" ] && [ -f "$emulator" ] || continue
    run "$ANPE" info "$emulator"
    check "$survey: says how good it is" grep -q "^held_out .*median" "$work/out"
    sed -n '/labels = (/,/^    );/s/.*name = "\([a-z0-9_]*\)".*/\1/p' "$(dirname "$emulator")/recipe.cfg" | sort >recipe
    sed -n '/labels = (/,/^    );/s/.*name = "\([a-z0-9_]*\)".*/\1/p' "$config" | sort >labels
    check "$survey: labels are those of the recipe, and the core's" \
        test "$(comm -3 recipe labels | tr -d '\t' | grep -vxE 'rv|vsini|vmacro' | wc -l)" = 0
    run "$ANPE" simulate "$config" -n 2 -o "$survey.h5" --quiet
    check "$survey: mocks from $survey.cfg" test "$status" = 0 -a -s "$survey.h5"
    echo "$emulator" | sed 's|[^/]*/\.\./||' >>used
done
for emulator in "$source"/instruments/*/emulator.h5; do
    check "${emulator#"$source"/}: has a configuration" grep -qxF "$emulator" used
done
finish
