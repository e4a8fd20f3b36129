"""The pages of a site: every link leads to a file of it, and to a place in that; no page asks for the network; each
heading is one of a kind. SITE -> a line for each fault, on standard output."""
import glob
import html.parser
import os
import sys
from urllib.parse import unquote


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.twice, self.links, self.loads, self.pictures = set(), [], [], [], []
        with open(path, encoding="utf-8") as f:
            self.feed(f.read())

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if "id" in a:
            self.twice += [a["id"]] if a["id"] in self.ids else []
            self.ids.add(a["id"])
        if tag == "a" and "href" in a:
            self.links.append(a["href"])
        elif tag != "a":
            self.loads += [a[k] for k in ("href", "src") if k in a]
        if tag == "img" and not a.get("alt"):
            self.pictures.append(a.get("src"))


site = sys.argv[1]
pages = {os.path.basename(p): Page(p) for p in glob.glob(os.path.join(site, "*.html"))}
for name, page in sorted(pages.items()):
    for link in page.twice:
        print(f"{name}: the anchor '{link}' is there twice")
    for link in page.pictures:
        print(f"{name}: {link} has no text in its place")
    for link in page.loads:
        if "//" in link or not os.path.isfile(os.path.join(site, unquote(link))):
            print(f"{name}: loads {link}")
    for link in page.links:
        if link.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = unquote(link).partition("#")
        if file and not os.path.isfile(os.path.join(site, file)):
            print(f"{name}: links to {link}")
        elif anchor and anchor not in pages[file or name].ids:
            print(f"{name}: no such place: {link}")
