"""The documentation as a site that needs no server: book, manual pages, C interface, READMEs.

    python3 site.py SOURCE OUTPUT

SOURCE/docs/site/contents says which files. Markdown is made by cmark-gfm, manual pages by mandoc, headers here:
their comments are prose, what is between is code. A link to a file of the source becomes one to its page, or to a
copy of the file; a link to nothing is an error.
"""
import glob
import html
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - anpe</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header><a href="index.html">anpe {version}</a>
<label hidden><input id="search" type="search" placeholder="Search all pages" aria-label="Search all pages"></label></header>
<div id="found" aria-live="polite"></div>
<div class="columns">
<nav class="contents" aria-label="Contents"><details open><summary>Contents</summary>
{contents}</details></nav>
<main id="main">
{body}
<nav class="next" aria-label="Next pages">{around}</nav>
</main>
</div>
<script src="index.js"></script>
<script src="search.js"></script>
</body>
</html>
"""


def fail(message):
    sys.exit(f"site.py: {message}")


def output_of(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        fail(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def plain(markup):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", markup))).strip()


def slug(title):
    """The anchor that hosts of Markdown give a heading."""
    return re.sub(r"[^\w\- ]", "", plain(title).lower()).replace(" ", "-")


class Page:
    """One file of the source: its name in the site, its title, and its body as HTML."""

    def __init__(self, source, path):
        self.path, self.file = path, self.name_of(path)
        text = read(os.path.join(source, path))
        make = self.markdown if path.endswith(".md") else self.header if path.endswith(".h") else self.manual
        self.body = make(text, os.path.join(source, path))
        self.body = re.sub(r"<table(?! class)(.*?)</table>", r'<div class="scroll"><table\1</table></div>', self.body,
                           flags=re.S)

    @staticmethod
    def name_of(path):
        if path == "README.md":
            return "index.html"
        name = re.sub(r"^(docs/book|docs/man|docs|include/anpe)/", "", path)
        name = re.sub(r"/README\.md$", "", name) if "/" in name else name
        return re.sub(r"\.md$", "", name).replace("/", "_") + ".html"

    def markdown(self, text, _):
        body = output_of(["cmark-gfm", "--unsafe", "-e", "table"], text)
        used = set()

        def heading(m):
            anchor = slug(m[2])
            while anchor in used:
                anchor += "-1"
            used.add(anchor)
            return f'<h{m[1]} id="{anchor}"><a href="#{anchor}">{m[2]}</a></h{m[1]}>'
        first = re.search(r"<h1>(.*?)</h1>", body, re.S)
        self.title = plain(first[1]) if first else os.path.basename(self.path)
        return re.sub(r"<h([1-6])>(.*?)</h\1>", heading, body, flags=re.S)

    def manual(self, _, path):
        body = output_of(["mandoc", "-T", "html", "-O", "fragment", path])
        name, _, section = os.path.basename(path).rpartition(".")
        self.title = f"{name}({section})"

        def other(m):
            beside = f"{m[1]}.{m[2]}"
            return f'<a href="{beside}">{m[0]}</a>' if os.path.exists(os.path.join(os.path.dirname(path), beside)) else m[0]
        body = re.sub(r"<b>([\w.-]+)</b>\((\d)\)", other, body)
        for level in (2, 1):
            body = re.sub(rf"<(/?)h{level}\b", rf"<\1h{level + 1}", body)
        return f"<h1>{self.title}</h1>\n{body}"

    # ---- headers: comments at the left are prose, the rest is code --------------------------------

    def header(self, text, _):
        name = "anpe/" + os.path.basename(self.path)
        self.title = f"<{name}>"
        out, anchors, code = [f"<h1>&lt;{name}&gt;</h1>"], set(), []

        def flush():
            if any(line.strip() for line in code):
                out.append("<pre><code>" + self.declarations("\n".join(code).strip("\n"), anchors) + "</code></pre>")
            code.clear()
        for piece in re.split(r"^(/\*.*?\*/[ \t]*\n)", text, flags=re.S | re.M):
            section = re.match(r"/\* -{4} (.*?)\s*-+ \*/", piece)
            if section:
                flush()
                anchor = slug(section[1])
                out.append(f'<h2 id="{anchor}"><a href="#{anchor}">{html.escape(section[1])}</a></h2>')
            elif piece.startswith("/*"):
                flush()
                out.append(self.prose(self.lines(piece)))
            else:
                code.extend(self.without_guards(piece).split("\n"))
        flush()
        return "\n".join(out)

    @staticmethod
    def lines(comment):
        """The text of a comment, without its stars."""
        return "\n".join(re.sub(r"^ \* ?", "", line) for line in comment.strip()[2:-2].split("\n")).strip()

    @staticmethod
    def without_guards(code):
        code = re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", code, flags=re.S)
        return re.sub(r"^#(ifndef|define) ANPE_\w+_H\n|^#endif\n*\Z", "", code, flags=re.M)

    @staticmethod
    def prose(text):
        """Paragraphs; what is indented by four, and rows that begin with -, stay as they are."""
        def block(lines):
            raw = html.escape("\n".join(lines))
            if all(line.startswith("  ") for line in lines):
                return f"<pre><code>{raw}</code></pre>"
            return "<p>" + re.sub(r"`([^`]*)`", r"<code>\1</code>", raw) + "</p>"
        out, lines, indented = [], [], None
        for line in text.split("\n") + [""]:
            now = line.startswith("  ")
            if lines and (not line.strip() or now != indented):
                out.append(block(lines))
                lines = []
            if line.strip():
                lines.append(line)
                indented = now
        return "\n".join(out)

    DECLARED = [re.compile(p, re.M) for p in (
        r"^(ANPE_EXPORT\b[^;{(]*?[ *\n])(anpe_\w+)(?=\()", r"^(typedef (?:struct|enum) )(anpe_\w+)",
        r"^(typedef [^;{(]*?[ *])(anpe_\w+)(?=\()", r"^(#define )(ANPE_\w+)", r"^(    )(ANPE_\w+)(?= =|,)",
        r"^(typedef \w+ )(anpe_\w+)(?=;)", r"^(\} )(anpe_\w+)(?=;)")]

    def declarations(self, code, anchors):
        """Code with an anchor at each name that it declares."""
        def anchor(m):
            if m[2] in anchors:
                return m[0]
            anchors.add(m[2])
            return f'{m[1]}<span id="{m[2]}">{m[2]}</span>'
        code = html.escape(code, quote=False)
        for pattern in self.DECLARED:
            code = pattern.sub(anchor, code)
        return code


# ---- links ---------------------------------------------------------------------------------------------


def resolve(source, output, pages, page, link):
    """What a link of a page of the source is in the site."""
    if re.match(r"[a-z]+:|#", link):
        return link
    path, mark, anchor = link.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page.path), html.unescape(path)))
    if target in pages:
        return pages[target].file + mark + anchor
    if target + "/README.md" in pages:
        return pages[target + "/README.md"].file + mark + anchor
    if not os.path.isfile(os.path.join(source, target)):
        fail(f"{page.path}: links to '{link}', which is no file of the source")
    copy = "source/" + target
    os.makedirs(os.path.join(output, os.path.dirname(copy)), exist_ok=True)
    shutil.copyfile(os.path.join(source, target), os.path.join(output, copy))
    return copy + mark + anchor


def link_names(pages):
    """Names of the C interface, wherever a page has them as code, lead to where they are declared."""
    where = {}
    for page in pages.values():
        if page.path.endswith(".h"):
            for name in re.findall(r'<span id="(\w+)">', page.body):
                where.setdefault(name, page.file)

    def link(page):
        def name(m):
            target = where.get(m[2])
            return m[0] if not target or target == page.file else f'{m[1]}<a href="{target}#{m[2]}">{m[2]}</a>{m[3]}'
        return re.sub(r"(<code>)(\w+)((?:\(\))?</code>)", name, page.body)
    for page in pages.values():
        page.body = link(page)


# ---- the site ------------------------------------------------------------------------------------------


def read_contents(source):
    """[(section, [path])]; a file that this source does not have is left out."""
    sections = []
    for line in read(os.path.join(source, "docs/site/contents")).splitlines():
        if line.startswith("== "):
            sections.append((line[3:], []))
        elif line.strip() and not line.startswith("#"):
            found = sorted(glob.glob(os.path.join(source, line)))
            sections[-1][1].extend(os.path.relpath(f, source) for f in found)
    return sections


def navigation(sections, pages, here):
    out = []
    for section, paths in sections:
        out.append(f"<h2>{html.escape(section)}</h2>\n<ul>")
        for path in paths:
            p = pages[path]
            mark = ' aria-current="page"' if p is here else ""
            out.append(f'<li><a href="{p.file}"{mark}>{html.escape(p.title)}</a></li>')
        out.append("</ul>")
    return "\n".join(out)


def index_of(page):
    """The sections of a page, for the search: up to the next heading, or the next term of a list that has an anchor."""
    parts = re.split(r'(<(?:h[1-4]|dt|span)\b[^>]*\bid="[^"]+"[^>]*>)', page.body)
    sections = [{"href": page.file, "page": page.title, "title": page.title, "text": plain(parts[0])}]
    for tag, rest in zip(parts[1::2], parts[2::2]):
        anchor = re.search(r'\bid="([^"]+)"', tag)[1]
        element = re.match(r"<(\w+)", tag)[1]
        title, _, text = rest.partition(f"</{element}>")
        sections.append({"href": f"{page.file}#{html.unescape(anchor)}", "page": page.title, "title": plain(title),
                         "text": plain(text)})
    return [s for s in sections if s["text"] or s["title"] != page.title]


def version_of(source):
    return re.search(r"AC_INIT\(\[anpe\], \[([^]]*)\]", read(os.path.join(source, "configure.ac")))[1]


def main(source, output):
    os.makedirs(output, exist_ok=True)
    sections = read_contents(source)
    paths = [path for _, paths in sections for path in paths]
    pages = {path: Page(source, path) for path in paths}
    if len({p.file for p in pages.values()}) != len(pages):
        fail("two files of docs/site/contents have one name in the site")
    for page in pages.values():
        page.body = re.sub(r'\b(href|src)="([^"]+)"',
                           lambda m: f'{m[1]}="{resolve(source, output, pages, page, m[2])}"', page.body)
    link_names(pages)
    index, version = [], version_of(source)
    for i, page in enumerate(pages.values()):
        index.extend(index_of(page))
        order = list(pages.values())
        around = [f'<a href="{p.file}" rel="{rel}">{arrow.format(html.escape(p.title))}</a>' if p else "<span></span>"
                  for rel, arrow, p in (("prev", "&larr; {}", order[i - 1] if i else None),
                                        ("next", "{} &rarr;", order[i + 1] if i + 1 < len(order) else None))]
        with open(os.path.join(output, page.file), "w", encoding="utf-8") as f:
            f.write(PAGE.format(title=html.escape(page.title), version=version, body=page.body,
                                contents=navigation(sections, pages, page), around="".join(around)))
    with open(os.path.join(output, "index.js"), "w", encoding="utf-8") as f:
        f.write("const site_index = " + json.dumps(index, ensure_ascii=False, separators=(",", ":")) + ";\n")
    for name in ("style.css", "search.js"):
        shutil.copyfile(os.path.join(source, "docs/site", name), os.path.join(output, name))
    print(f"{output}/index.html: {len(pages)} pages, {len(index)} sections to search")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
