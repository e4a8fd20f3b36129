#!/bin/sh
# Every C file is as clang-format 14 writes it with the repository's .clang-format.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
command -v clang-format-14 >/dev/null || skip_all "clang-format-14 is not installed"
cd "$ANPE_SRCDIR" || exit 99
formatted() { find include core plugins instruments tests docs -name '*.[ch]' -exec \
    clang-format-14 --dry-run -Werror {} +; }
check "all C files are formatted" formatted
# A rule between sections is one line.
torn() { grep -rn '^/\* ----' --include='*.[ch]' include core plugins instruments tests docs | grep -v '\*/$'; }
check "no rule is torn" none torn
finish
