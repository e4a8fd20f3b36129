#!/bin/sh
# The documentation as a site: every link leads to a place of it, no page asks for the network, the book is all there,
# and the search finds things.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
source=$(cd "$ANPE_SRCDIR" && pwd)
for tool in python3 cmark-gfm mandoc; do
    command -v $tool >/dev/null || skip_all "$tool is not installed (Debian: python3 cmark-gfm mandoc)"
done
cd "$work" || exit 99

run python3 "$source/docs/site/site.py" "$source" site
check "the site" test "$status" = 0
[ "$status" = 0 ] || { cat err && finish; }
links() { python3 "$source/tests/cli/site_links.py" "$1"; }
check "links lead somewhere, and nothing is loaded from elsewhere" none links site
for page in "$source"/docs/book/*.md; do
    check "a page for ${page##*/}" test -s "site/$(basename "$page" .md).html"
done
for name in anpe_model_find anpe_instrument_ops ANPE_RUN_DEFAULT anpe_conv1d; do
    check "$name is declared somewhere" grep -qs "id=\"$name\"" site/anpe.h.html site/plugin.h.html site/graph.h.html
done
check "what is code in the text leads there" grep -q 'href="anpe.h.html#anpe_predict"' site/embedding.html
check "pages fit a telephone" none grep -L 'name="viewport" content="width=device-width' site/*.html

if command -v node >/dev/null; then
    found() { node -e 'const fs = require("fs"), read = f => fs.readFileSync("site/" + f, "utf8");
        const hits = new Function("query", read("index.js") + read("search.js") + "return find(site_index, query)")(process.argv[1]);
        console.log(hits.slice(0, 3).map(h => h.href).join(" "))' "$1"; }
    leads() { # QUERY HREF: among the first three
        case " $(found "$1") " in *" $2 "*) ok "search: $1" ;; *) not_ok "search: $1: $(found "$1")" ;; esac
    }
    leads "anpe_model_find" anpe.h.html#anpe_model_find
    leads "TARP coverage" validation.html#calibration
    leads "registry of your own" zoo.html#a-registry-of-your-own
    leads "bad pixels lamost_lrs" instruments_lamost_lrs.html#bad-pixels
    check "search: what is nowhere" test -z "$(found xyzzy)"
else
    skip "search" "node is not installed (Debian: nodejs)"
fi

# The checks see what is wrong.
mkdir broken && cp site/* broken 2>/dev/null
printf '<a href="nowhere.html">a</a><a href="zoo.html#nowhere">b</a><img src="https://example.org/x.png">\n' >broken/bad.html
check "a link to nothing is noticed" test "$(links broken | grep -c '^bad.html: ')" = 4
mkdir -p other/docs/site && cp "$source"/docs/site/* other/docs/site && cp "$source/configure.ac" other
printf '# A\n\n[b](c.md)\n' >other/README.md
run python3 other/docs/site/site.py other out.d
expect "so is one of the source" 1 "site.py: README.md: links to 'c.md', which is no file of the source"
finish
