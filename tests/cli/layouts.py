"""Layouts of GALAH and Gaia RVS, read by the instruments and by astropy: layouts.py PROGRAM SHARED SCRATCH

Real spectra of SHARED/data, and the same written by astropy in the layouts of the surveys' data models
that no file there has, are read by PROGRAM (read_spectra.c) and here: by astropy, with wavelengths made
vacuum (Morton 2000), the survey's error rule and mask, and the overlap of pixels summed as
instruments/common/observed.h says. Prints "ok NAME" or "not ok NAME"."""
import glob
import os
import subprocess
import sys

import numpy as np
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import Param
from astropy.table import Table, MaskedColumn

PROBE, SHARED, SCRATCH = sys.argv[1:4]


def read_all(configuration, path):
    """Every spectrum of the file, as read_spectra.c writes them."""
    out = os.path.join(SCRATCH, "pixels")
    run = subprocess.run([PROBE, configuration, out, path], capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    raw, at, spectra = open(out, "rb").read(), 8, []
    for _ in range(np.frombuffer(raw, np.int64, 1)[0]):
        name, n = raw[at:at + 80].split(b"\0")[0].decode(), int(np.frombuffer(raw, np.int64, 1, at + 80)[0])
        at += 88
        parts = []
        for kind, size in ((float, 8), (np.float32, 4), (np.float32, 4), (np.uint8, 1)):
            parts.append(np.frombuffer(raw, kind, n, at).astype(float))
            at += size * n
        spectra.append(dict(id=name, wavelength=parts[0], flux=parts[1], sigma=parts[2], mask=parts[3] > 0))
    return spectra


def vacuum(air):
    w = np.array(air, float)
    for _ in range(6):
        s2 = 1e8 / w**2
        w = air * (1 + 8.34254e-5 + 2.406147e-2 / (130 - s2) + 1.5998e-4 / (38.9 - s2))
    return w


def edges(w):
    """Half way to the neighbours; at ends and beside gaps pixels are symmetric."""
    step = np.diff(w)
    left, right = np.r_[step[0], step], np.r_[step, step[-1]]
    half_left = 0.5 * np.where(left > 2 * right, right, left)
    half_right = 0.5 * np.where(right > 2 * left, left, right)
    return w - half_left, w + half_right


def rebin(w, flux, sigma, bad, grid):
    """(weight, flux, sigma) of an order on the grid; weight 0: under half of a pixel is good."""
    low, high = edges(w)
    a, b = edges(grid)
    good = ~bad & np.isfinite(flux) & np.isfinite(sigma) & (sigma > 0)
    low, high, flux, sigma = low[good], high[good], flux[good], sigma[good]
    out = np.zeros((3, grid.size))
    first = np.searchsorted(high, a, "right")
    last = np.searchsorted(low, b, "left")
    for i in range(grid.size):
        k = slice(first[i], last[i])
        shared = np.minimum(high[k], b[i]) - np.maximum(low[k], a[i])
        total = shared.sum()
        if total >= 0.5 * (b[i] - a[i]) * (1 - 1e-9) and total > 0:
            out[:, i] = 1, (shared * flux[k]).sum() / total, np.sqrt(((shared * sigma[k]) ** 2).sum()) / total
    return out


def on_grid(orders, grid):
    weight, product = np.zeros(grid.size), np.zeros(grid.size)
    for w, flux, sigma, bad in orders:
        seen, f, s = rebin(np.asarray(w, float), np.asarray(flux, float), np.asarray(sigma, float), bad, grid)
        ivar = np.where(seen > 0, 1 / np.where(seen > 0, s, 1) ** 2, 0)
        weight += ivar
        product += ivar * f
    bad = weight <= 0
    safe = np.where(bad, 1, weight)
    return product / safe, 1 / np.sqrt(safe), bad


def compare(name, got, orders, star=None):
    """Floats hold 6e-8; sums of a dozen of them, and edges of pixels, leave 1e-6."""
    flux, sigma, bad = on_grid(orders, got["wavelength"])
    good = ~bad & ~got["mask"]
    worst = max(np.max(np.abs(got["flux"] - flux)[good] / np.abs(flux).max()),
                np.max(np.abs(got["sigma"] / sigma - 1)[good])) if good.any() else np.inf
    fine = (bad == got["mask"]).all() and worst < 1e-5 and (star is None or star == got["id"])
    print("%s %s: %d good pixels, differences to %.1e" % ("ok" if fine else "not ok", name, good.sum(), worst))
    if not fine:
        print("    masks differ in %d pixels; star %r, expected %r" % ((bad != got["mask"]).sum(), got["id"], star))


# ---- GALAH ----------------------------------------------------------------------------------


def galah_orders(paths, error_hdu=1):
    for path in paths:
        with fits.open(path) as f:
            h, flux, relative = f[0].header, f[0].data.astype(float), f[error_hdu].data.astype(float)
        w = h["CRVAL1"] + h["CDELT1"] * (np.arange(flux.size) + 1 - h.get("CRPIX1", 1))
        yield vacuum(w), flux, np.abs(flux) * relative, ~(flux > 0)


def galah():
    paths = sorted(glob.glob(SHARED + "/data/galah/*.fits"))
    wide = 'instrument: { plugin = "galah"; windows = [4719.0, 4901.0, 5654.0, 5873.0, 6482.0, 6736.0, 7590.0, 7886.0]; };'
    compare("GALAH, with the A band", read_all(wide, paths[0])[0], galah_orders(paths), "Flux Standard - mu Leo")
    for k, path in enumerate(paths): # the first arm stands for the star
        print("%s GALAH, arm %d alone" % ("ok" if len(read_all(wide, path)) == (k == 0) else "not ok", k + 1))
    release_4(paths)


def release_4(paths):
    """Flux, normalised, relative error, sky, tellurics, cross talk, -, resolution: eight HDUs."""
    made = []
    for path in paths[:3]:
        with fits.open(path) as f:
            header = f[0].header.copy()
            for key in ("CTYPE1", "CRPIX1"):
                header.remove(key, ignore_missing=True)
            parts = [f[0].data, f[4].data, f[1].data, f[2].data] + [np.ones(4096)] * 3 + [np.full(4096, 0.1)]
        made.append(os.path.join(SCRATCH, os.path.basename(path) + ".gz"))
        fits.HDUList([fits.PrimaryHDU(parts[0], header)] + [fits.ImageHDU(p) for p in parts[1:]]).writeto(made[-1])
    got = read_all('instrument: { plugin = "galah"; identifier = "sobject_id"; };', made[0])[0]
    compare("GALAH, layout of Release 4, three arms", got, galah_orders(made, 2), "131216002601003")


# ---- Gaia RVS -------------------------------------------------------------------------------

RVS = 'instrument: { plugin = "gaia_rvs"; };'


def rvs_order(table):
    flux = np.ma.filled(np.ma.asarray(table["flux"], float), np.nan)
    error = np.ma.filled(np.ma.asarray(table["flux_error"], float), np.nan)
    return [(np.asarray(table["wavelength"], float) * 10, flux, error, np.isnan(flux))]


def spectrum_only(table):
    t = Table([table[k] for k in ("wavelength", "flux", "flux_error")])
    t["wavelength"].unit = "nm"
    return t


def raw(tables):
    """A row a star, arrays, no wavelengths."""
    t = Table()
    t["source_id"] = np.array([x["source_id"][0] for x in tables], np.int64)
    for key in ("flux", "flux_error"):
        t[key] = np.array([np.ma.filled(np.ma.asarray(x[key], np.float32), np.nan) for x in tables])
    return t


def raw_text(table, path):
    with open(path, "w") as f:
        f.write("source_id,flux,flux_error\n")
        for row in table:
            cells = ["[" + ", ".join("null" if np.isnan(v) else repr(float(v)) for v in row[k]) + "]"
                     for k in ("flux", "flux_error")]
            f.write('%d,"%s","%s"\n' % (row["source_id"], *cells))


def combined(tables):
    t = Table()
    for key, kind in (("source_id", np.int64), ("wavelength", float), ("flux", np.float32), ("flux_error", np.float32)):
        t[key] = MaskedColumn(np.ma.concatenate([np.ma.asarray(x[key]).astype(kind) for x in tables]))
    t["wavelength"].unit = "nm"
    return t


def votable(table, path, form, source=None):
    v = from_table(table)
    inner = v.get_first_table()
    if source:
        inner.params.append(Param(v, name="source_id", datatype="long", value=source))
    v.to_xml(path, compressed=path.endswith(".gz"), tabledata_format=form)


def rvs():
    paths = sorted(glob.glob(SHARED + "/data/gaia_rvs/*.csv"))
    tables = [Table.read(p, format="ascii.csv") for p in paths]
    names = [str(t["source_id"][0]) for t in tables]
    for path, table, name in zip(paths, tables, names):
        compare(os.path.basename(path), read_all(RVS, path)[0], rvs_order(table), name)
    one, star = spectrum_only(tables[1]), names[1]
    written = {}

    def new(name):
        return os.path.join(SCRATCH, name)

    def plain(name, how):
        path = new(name)
        how(path)
        compare("RVS " + name, read_all(RVS, path)[0], rvs_order(tables[1]), star)

    plain("RVS-Gaia DR3 %s.csv" % star, lambda p: one.write(p, format="ascii.csv"))
    plain("RVS-Gaia DR3 %s.fits" % star, lambda p: one.write(p))
    one.meta["source_id"] = int(star)
    plain("individual.ecsv", lambda p: one.write(p, format="ascii.ecsv"))
    one.meta.clear()
    for form in ("tabledata", "binary", "binary2"):
        plain(form + ".xml", lambda p: votable(one, p, form, int(star)))
    plain("binary2.vot.gz", lambda p: votable(one, p, "binary2", int(star)))
    together, arrays = combined(tables), raw(tables)
    written["combined.csv"] = lambda p: together.write(p, format="ascii.csv")
    written["combined.ecsv"] = lambda p: together.write(p, format="ascii.ecsv")
    written["combined.fits"] = lambda p: together.write(p)
    written["raw.fits"] = lambda p: arrays.write(p)
    written["raw.csv"] = lambda p: raw_text(arrays, p)
    written["raw.ecsv"] = lambda p: arrays.write(p, format="ascii.ecsv")
    for form in ("tabledata", "binary", "binary2"):
        written["combined-%s.vot" % form] = lambda p, form=form: votable(together, p, form)
        written["raw-%s.vot" % form] = lambda p, form=form: votable(arrays, p, form)
    for name, how in written.items():
        how(new(name))
        spectra = read_all(RVS, new(name))
        if len(spectra) != len(tables):
            print("not ok RVS %s: %d spectra" % (name, len(spectra)))
        for row, (got, table) in enumerate(zip(spectra, tables)):
            compare("RVS %s, row %d" % (name, row), got, rvs_order(table), names[row])


galah()
rvs()
