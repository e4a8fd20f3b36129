"""The pages of test_report.sh in headless Chromium: sorted, filtered, a star opened, by mouse and keyboard;
what it looks like at 1280 and 400 pixels is left in the directory of the pages."""
import os
import sys

from browser import Browser

program, directory = sys.argv[1:]
failed = 0
PAUSE = "new Promise(done => setTimeout(done, 300))"


def check(name, good, seen=""):
    global failed
    failed += not good
    print("ok" if good else "not ok", name)
    if not good:
        print("    seen:", seen)


def page(name):
    return "file://" + os.path.join(directory, name)


FIRST = "document.querySelector('tbody tr th button').textContent"
NAMES = "[...document.querySelectorAll('#stars tbody th button')].map(b => b.textContent)"
CELLS = "[...document.querySelectorAll('#stars tbody tr')].map(t => t.cells[2].textContent)"


def sort_by(b, title):
    b.run(f"[...document.querySelectorAll('#stars thead button')].find(k => k.textContent.startsWith('{title}')).click()")


def filter_by(b, text):
    b.run(f"(f => {{ f.value = {text!r}; f.dispatchEvent(new Event('input')); }})(document.getElementById('filter'))")
    b.run(PAUSE)
    return b.run("document.getElementById('status').textContent")


def overview(b):
    b.size(1280, 900)
    b.open(page("stars.html"))
    b.run(PAUSE)
    b.screenshot(os.path.join(directory, "stars_1280.png"))
    check("a table with a row for each star", len(b.run(NAMES)) == 7, b.run(NAMES))
    check("the first row is the first star", b.run(FIRST) == "mocks.h5[0]", b.run(FIRST))
    sort_by(b, "teff")
    up = [float(c.split()[0]) for c in b.run(CELLS) if c]
    check("sorted by a label, least first", len(up) == 6 and up == sorted(up), up)
    check("the heading says so", b.run("document.querySelector('#stars [aria-sort=ascending]').textContent")
          .startswith("teff"))
    check("and keeps the focus", b.run("document.activeElement.textContent").startswith("teff"))
    sort_by(b, "teff")
    down = [float(c.split()[0]) for c in b.run(CELLS) if c]
    check("sorted the other way round", down == sorted(up, reverse=True), down)
    check("a star without a value is last both times", b.run(CELLS)[-1] == "")
    check("every column has a heading with scope and a button",
          b.run("[...document.querySelectorAll('#stars thead th')].every(h => h.scope === 'col' && h.querySelector('button'))"))
    said = filter_by(b, f"teff>{up[3] - 1}")
    check("a condition leaves what it says", said.startswith("1 to 3 of 3 stars"), said)
    said = filter_by(b, "MOCKS.H5[4]")
    check("a word leaves the stars that have it", said.startswith("1 to 1 of 1 stars"), said)
    filter_by(b, "tef>5000")
    said = b.run("document.getElementById('filter-error').textContent")
    check("an unknown column is told", "There is no column" in said and "tef" in said, said)
    said = filter_by(b, "FAILED")
    check("flags are found by name", said.startswith("1 to 1 of 1 stars"), said)
    filter_by(b, "")
    check("flags are explained", "There is no posterior" in b.run("document.body.textContent"))
    check("figures of every label and a Kiel diagram, each with a name",
          b.run("[...document.querySelectorAll('#overview svg')].every(s => s.getAttribute('aria-label'))")
          and b.run("document.querySelectorAll('#overview svg').length") == 8)


def one_star(b):
    sort_by(b, "star")
    b.run("[...document.querySelectorAll('#stars tbody button')].find(k => k.textContent === 'mocks.h5[0]').focus()")
    b.key("Enter", 13)
    b.run(PAUSE)
    check("Enter on a name opens the star", b.run("document.activeElement.textContent") == "mocks.h5[0]",
          b.run("document.activeElement.textContent"))
    n = b.run("document.querySelectorAll('#star svg').length")
    check("fit and gradients of three detectors, and a corner plot", n == 7, n)
    lines = b.run("[...document.querySelectorAll('#star svg path')].filter(p => p.getAttribute('d').length > 2000).length")
    check("spectra, models, residuals and draws are drawn", lines >= 9 + 3 + 21, lines)
    check("what --explain says, in words", "change of teff for 1 % of flux" in b.run("document.body.textContent"))
    b.screenshot(os.path.join(directory, "star_1280.png"))
    b.run("document.getElementById('back').click()")
    b.run(PAUSE)
    check("and back, with the focus where it was", b.run("document.activeElement.textContent") == "mocks.h5[0]")
    b.run("location.hash = 'star=6'")
    b.run(PAUSE)
    text = b.run("document.getElementById('star').textContent")
    check("a star that failed says why", "FAILED" in text and "reason" in text, text[:200])
    check("no script complained, nothing was asked of a network", not b.complaints(), b.complaints())


def phone(b):
    b.size(400, 800)
    for name, hash_ in (("stars_400.png", ""), ("star_400.png", "#star=1")):
        b.open("about:blank")
        b.open(page("stars.html") + hash_)
        b.run(PAUSE)
        b.screenshot(os.path.join(directory, name))
        width = b.run("document.documentElement.scrollWidth")
        check(f"{name}: no wider than 400 pixels", width <= 400, width)


def paper(b):
    b.size(718, 1000)  # A4 less the margins, at 96 dots an inch
    b.send("Emulation.setEmulatedMedia", media="print")
    for name, hash_ in (("paper_stars.png", ""), ("paper_star.png", "#star=1")):
        b.open("about:blank")
        b.open(page("stars.html") + hash_)
        b.run(PAUSE)
        b.screenshot(os.path.join(directory, name))
        width = b.run("Math.max(...[...document.querySelectorAll('table, svg, section')].map(e => e.getBoundingClientRect().right))")
        check(f"{name}: all of it is on the paper", width <= 718, width)
    b.send("Emulation.setEmulatedMedia", media="screen")


def hostile(b):
    b.size(1280, 900)
    b.open(page("hostile.html"))
    b.run(PAUSE)
    names = b.run(NAMES)
    check("a name that looks like markup is text", names[:2] == ["</script><script>window.bad=1</script>",
                                                                "<img src=x onerror=window.bad=1>"], names)
    b.run("location.hash = 'star=1'")
    b.run(PAUSE)
    check("and runs nothing", b.run("window.bad") is None and not b.complaints(), b.complaints())
    check("nor does it in the star's own part", b.run("document.querySelectorAll('#star img').length") == 0)


def model(b):
    b.open(page("model.html"))
    b.run(PAUSE)
    b.screenshot(os.path.join(directory, "model_1280.png"))
    figures = b.run("[...document.querySelectorAll('figure img')].map(i => i.naturalWidth > 50 && i.alt.length > 10)")
    check("a model: its certificate", "Validated on 60 mocks" in b.run("document.body.textContent"))
    check("and its figures, with words for them", figures == [True] * 5 or "without PLplot" in
          b.run("document.body.textContent"), figures)
    check("no complaints", not b.complaints(), b.complaints())
    b.size(400, 800)
    width = b.run("document.documentElement.scrollWidth")
    check("no wider than 400 pixels", width <= 400, width)


def many(b, n):
    b.size(1280, 900)
    b.open(page(f"many_{n}.html"))
    ready = b.run("document.documentElement.dataset.ready")
    b.run(PAUSE)
    count = b.run("document.querySelectorAll('#stars tbody tr').length")
    check(f"{n} stars: a window of 100 rows", count == 100, count)
    b.run("document.getElementById('next').click()")
    said = b.run("document.getElementById('status').textContent")
    check(f"{n} stars: the next 100", said.startswith(f"101 to 200 of {n} stars"), said)
    took = b.run("(function () { const t = performance.now(); "
                 "document.querySelectorAll('#stars thead button')[1].click(); return performance.now() - t; })()")
    values = [float(c.split()[0]) for c in b.run("[...document.querySelectorAll('#stars tbody tr')].map(t => t.cells[1].textContent)")]
    check(f"{n} stars: sorted", values == sorted(values), values[:5])
    print(f"    {n} stars: first table {ready} ms after the page was asked for, sorted in {took:.0f} ms")


with Browser(program) as browser:
    overview(browser)
    one_star(browser)
    phone(browser)
    paper(browser)
    hostile(browser)
    model(browser)
    many(browser, 1000)
    many(browser, 10000)
    browser.open(page("stars.html") + "#star=0")
    browser.pdf(os.path.join(directory, "star.pdf"))
sys.exit(failed > 0)
