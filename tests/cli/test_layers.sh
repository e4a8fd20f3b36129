#!/bin/sh
# Dependencies point one way: base <- graph <- kind <- npe <- plot <- cmd and base <- data <- kind; plugins,
# instruments and the template know nothing of the core but <anpe/...>.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$ANPE_SRCDIR" || exit 99
rooms=$(ls core | tr '\n' '|')

# What a room may include from core/, itself included.
allowed() {
    case $1 in
    base) echo base ;;
    stat) echo 'base stat model' ;;
    kernel) echo 'kernel graph' ;;
    graph) echo 'base kernel graph' ;;
    spectrum) echo 'base spectrum' ;;
    file) echo 'base spectrum file' ;;
    kind) echo 'base graph spectrum file kind' ;;
    task) echo "$(allowed kind) stat task train" ;;
    model) echo "$(allowed task) kernel model" ;;
    posterior) echo "$(allowed model) posterior validate" ;;
    train) echo "$(allowed posterior) kernel train" ;;
    validate) echo "$(allowed posterior) validate infer prepare" ;;
    infer) echo "$(allowed posterior) validate infer" ;;
    prepare) echo "$(allowed model) prepare validate" ;;
    plot) echo "$(allowed infer) plot" ;;
    cmd) echo "$(allowed plot) train prepare cmd" ;;
    esac
}

# Prints every include of quoted core headers that LAYER may not have. A file of the same directory
# may be included by its bare name.
wrong_includes() {
    layer=$1
    words=$(allowed "$layer" | tr ' ' '|')
    grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' "$2/$layer" |
        grep -vE '"(config\.h|('"$words"')/[a-z0-9_]+\.h|[a-z0-9_]+\.h)"'
}

# foreign_includes TOP...: quoted includes of files below TOP that lie elsewhere than below a TOP: beside
# the file, or in a directory above it that plugins of one kind share.
foreign_includes() {
    grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' "$@" |
        while IFS=: read -r file line text; do
            header=$(printf '%s\n' "$text" | sed 's/.*"\(.*\)".*/\1/')
            [ "$header" != config.h ] || continue # what configure found out about the system
            found=$(cd "$(dirname "$file")" && realpath -qe "$header")
            for top in "$@"; do
                case $found in "$(realpath "$top")"/*) continue 2 ;; esac
            done
            echo "$file:$line: $header"
        done
    grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<('"$rooms"'|core)/' \
        --include='*.[ch]' "$@"
}

none() {
    found=$("$@")
    [ -z "$found" ] && return 0
    printf '%s\n' "$found" | sed 's/^/    /'
    return 1
}

for directory in core/*/; do
    layer=$(basename "$directory")
    check "core/$layer is a known layer" test -n "$(allowed "$layer")"
    check "core/$layer includes only lower layers" none wrong_includes "$layer" core
done
check "plugins include <anpe/...> and what is theirs" none foreign_includes plugins
check "instruments include <anpe/...> and what is theirs" none foreign_includes instruments
check "the template includes only <anpe/...>" none foreign_includes docs/plugin-template
check "installed headers include only <anpe/...>" none foreign_includes include

# The test must be able to fail: a tree with one wrong include of each sort.
mkdir -p "$work/core/base" "$work/plugins/x"
echo '#include "train/train.h"' >"$work/core/base/bad.c"
echo '#include "base/context.h"' >"$work/plugins/x/bad.c"
echo '# include <base/context.h>' >"$work/plugins/x/worse.c"
echo '#include "../../core/base/bad.c"' >"$work/plugins/x/worst.c"
touch "$work/plugins/shared.h"
echo '#include "../shared.h"' >"$work/plugins/x/good.c"
check "an upward include is found" test -n "$(wrong_includes base "$work/core")"
check "a plugin's core includes are found" test "$(foreign_includes "$work/plugins" | wc -l)" = 3
finish
