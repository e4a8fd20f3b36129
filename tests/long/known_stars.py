"""known_stars.py FORWARD SURVEY: spectra of stars whose labels are published, as a survey would have written them, in the
current directory, and truth.csv. known_stars.py compare CATALOGUE: what a catalogue makes of them. known_stars.py show
CATALOGUE: the labels of any. known_stars.py chi2 PREDICTIONS MODEL: how well the model fits them.

Observed with NARVAL at R = 75 000 (eight Gaia benchmark stars: Jofre et al. 2014, A&A 564, A133), or the atlases of the Sun and
Arcturus, smoothed to the survey's resolution; noise of the S/N below is added, with a seed."""
import csv
import re
import sys

import h5py
import numpy as np
from astropy.io import fits

SNR = 100.0
LABELS = {"61CygA": (4339, 4.43, -0.33), "alfTau": (3927, 1.22, -0.37), "Arcturus": (4247, 1.59, -0.52),
          "epsVir": (4983, 2.77, 0.15), "Gmb1830": (4827, 4.60, -1.46), "HD140283": (5720, 3.67, -2.36),
          "HD84937": (6275, 4.11, -2.03), "Procyon": (6545, 3.99, 0.01), "Sun": (5772, 4.44, 0.0)}
LIGHT = 299792.458  # km/s
# GALAH: first pixel and step of an arm, air Angstrom
ARMS = {1: ("blue", 4714.12, 0.046), 2: ("green", 5649.89, 0.0546), 3: ("red", 6477.47, 0.063), 4: ("ir", 7585.69, 0.0735)}


def to_vacuum(air):
    """Ciddor's formula as VALD inverts it (Piskunov)."""
    s = (1e4 / air) ** 2
    return air * (1 + 8.336624212083e-5 + 2.408926869968e-2 / (130.1065924522 - s) + 1.599740894897e-4 / (38.92568793293 - s))


def smoothed(wave, flux, resolution):
    """On a grid of 0.5 km/s, with a Gaussian of that resolution."""
    step = 0.5 / LIGHT
    grid = np.exp(np.arange(np.log(wave[0]), np.log(wave[-1]), step))
    sigma = 1 / resolution / 2.35482 / step
    x = np.arange(-int(5 * sigma) - 1, int(5 * sigma) + 2)
    kernel = np.exp(-0.5 * (x / sigma) ** 2)
    return grid, np.convolve(np.interp(grid, wave, flux), kernel / kernel.sum(), "same")


def seen(rng, wave, flux, resolution, pixels):
    """Flux and its error in pixels; both 0 where there is no spectrum."""
    keep = np.isfinite(flux)
    grid, smooth = smoothed(wave[keep], flux[keep], resolution)
    inside = (pixels > grid[0]) & (pixels < grid[-1])
    flux = np.where(inside, np.interp(pixels, grid, smooth) + rng.normal(0, 1 / SNR, len(pixels)), 0.0)
    return flux, np.where(inside, 1 / SNR, 0.0)


def arms(forward, star):
    if star == "Sun":  # Kurucz's flux atlas, which has no infrared arm
        for arm in (1, 2, 3):
            t = fits.getdata("%s/reference/sun_kurucz_flux_hermes_%s.fits.gz" % (forward, ARMS[arm][0]))
            yield arm, t["disp"].astype(float), t["flux"].astype(float)
        return
    d = np.load(forward + "/reference/narval_benchmark_stars.npz")
    for arm, (name, _, _) in ARMS.items():
        first, step, n = d["%s/%s/wave" % (star, name)]
        yield arm, first + step * np.arange(int(n)), d["%s/%s/flux" % (star, name)].astype(float)


def galah(forward, rng):
    for k, star in enumerate(LABELS):
        for arm, wave, flux in arms(forward, star):
            _, first, step = ARMS[arm]
            flux, error = seen(rng, wave, flux, 28000.0, first + step * np.arange(4096))
            hdus = [fits.PrimaryHDU((1000 * flux).astype("f4")),
                    fits.ImageHDU((error / np.maximum(flux, 1e-3)).astype("f4"))]
            for hdu in hdus:
                hdu.header.update(CTYPE1="LINEAR", CRVAL1=first, CDELT1=step, CRPIX1=1.0, OBJECT=star, SLITMASK="OUT")
            hdus[1].header["EXTNAME"] = "input_sigma"  # astropy's own `name` would write capitals
            fits.HDUList(hdus).writeto("%015d%d.fits" % (131216002601010 + k, arm), overwrite=True)
    return list(LABELS)


def apogee(forward, rng):
    pixels = 10 ** (4.179 + 6e-6 * np.arange(8575))
    stars = {"Sun": ("apogee_sun_fts", 0.8), "Arcturus": ("apogee_arcturus_fts", 14.2)}
    for star, (name, velocity) in stars.items():
        d = np.load("%s/reference/%s.npz" % (forward, name))
        wave = to_vacuum(d["wavelength"].astype(float)) / (1 + velocity / LIGHT)
        flux, error = seen(rng, wave, d["flux"].astype(float), 22500.0, pixels)
        bad = (error == 0).astype("i4")
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(flux.astype("f4")), fits.ImageHDU(np.where(bad, 1e10, error).astype("f4")),
                fits.ImageHDU(bad)]
        hdus[0].header["OBJID"] = star
        for hdu in hdus:
            hdu.header.update(CRVAL1=4.179, CDELT1=6e-6, CRPIX1=1.0, CTYPE1="LOG-LINEAR", DC_FLAG=1)
        fits.HDUList(hdus).writeto("apStar-%s.fits" % star, overwrite=True)
    return list(stars)


def lamost_lrs(forward, rng):
    """The Sun seen with UVES, 4840 to 6720 Angstrom without two gaps."""
    wave, flux = sun_uves(forward)
    loglam = 3.5682 + 1e-4 * np.arange(3909)
    flux, error = seen(rng, to_vacuum(wave), flux, 1800.0, 10 ** loglam)
    for low, high in ((5750, 5838), (6056, 6084)):
        error[(10 ** loglam > low) & (10 ** loglam < high)] = 0
    column = lambda name, kind, array: fits.Column(name, kind, array=array)
    table = fits.BinTableHDU.from_columns([
        column("FLUX", "E", 100 * flux), column("IVAR", "E", np.where(error > 0, 1e-4 / np.maximum(error, 1e-9) ** 2, 0)),
        column("LOGLAM", "E", loglam), column("ANDMASK", "I", 0 * loglam), column("ORMASK", "I", 0 * loglam)])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto("Sun.fits", overwrite=True)
    return ["Sun"]


def sun_uves(forward):
    """Air wavelengths, without the gaps between and inside the exposures."""
    d = np.load(forward + "/reference/sun_uves_4835_6723.npz")
    order = np.argsort(d["wavelength"], kind="stable")
    wave, flux = d["wavelength"][order].astype(float), d["flux"][order].astype(float)
    new = np.append(True, np.diff(wave) > 0)
    return wave[new], flux[new]


def sun_in_pieces(forward, rng, resolution, pixels):
    """In air pixels; both 0 between the pieces. The one star that covers the windows of the models (NARVAL's are half of them)."""
    wave, sun = sun_uves(forward)
    flux, error = np.zeros(len(pixels)), np.zeros(len(pixels))
    for keep in (wave < 5749, (wave > 5838) & (wave < 6056), wave > 6084):
        f, e = seen(rng, wave[keep], sun[keep], resolution, pixels)
        flux, error = np.where(e > 0, f, flux), np.where(e > 0, e, error)
    return flux, error


def mike(forward, rng):
    """One order, with IRAF's names of its bands."""
    first, step = 5120.0, 0.03
    flux, error = sun_in_pieces(forward, rng, 44000.0, first + step * np.arange(52000))
    hdu = fits.PrimaryHDU(np.array([[flux], [error]], "f4"))
    hdu.header.update(CTYPE1="LINEAR", CRVAL1=first, CDELT1=step, CD1_1=step, CRPIX1=1.0, OBJECT="Sun", INSTRUME="MIKE-Red",
                      BANDID1="spectrum", BANDID2="sigma")
    hdu.writeto("Sun.fits", overwrite=True)
    return ["Sun"]


def hires(forward, rng):
    """As HIRES-redux writes a coadded spectrum; vacuum."""
    first, step = np.log10(5120.0), 2.8e-6
    wave = 10 ** (first + step * np.arange(41000))
    to_air = np.interp(wave, to_vacuum(np.arange(5000.0, 7000.0, 1.0)), np.arange(5000.0, 7000.0, 1.0))
    flux, error = sun_in_pieces(forward, rng, 48000.0, to_air)
    for name, array in (("F", flux), ("E", error)):
        hdu = fits.PrimaryHDU(array.astype("f4"))
        hdu.header.update(CTYPE1="LINEAR", CRVAL1=first, CDELT1=step, CRPIX1=1.0, DC_FLAG=1, OBJECT="Sun", INSTRUME="HIRES")
        hdu.writeto("Sun_%s.fits" % name, overwrite=True)
    return ["Sun"]


def pepsi(forward, rng):
    """A table of PEPSI's pipeline, blue arm; air. The atlas resolves less than PEPSI."""
    wave = 5120.0 * np.exp(np.arange(0, np.log(5230 / 5120.0), 1 / 130000 / 2.5))
    flux, error = sun_in_pieces(forward, rng, 130000.0, wave)
    columns = [fits.Column(name, "D", unit, array=array) for name, unit, array in
               (("Arg", "Angstrom", wave), ("Fun", None, flux), ("Var", None, error ** 2), ("Mask", None, np.where(error > 0, 0, 1)))]
    primary = fits.PrimaryHDU()
    primary.header.update(OBJECT="Sun", INSTRUME="PEPSI", FIBER="200")
    fits.HDUList([primary, fits.BinTableHDU.from_columns(columns)]).writeto("pepsib.Sun.nor", overwrite=True)
    return ["Sun"]


def rows_of(path):
    for row in csv.DictReader(line for line in open(path) if not line.startswith("#")):
        yield {key.lower(): value for key, value in row.items()}


def show(path):
    for row in rows_of(path):
        labels = [key[:-3] for key in row if key.endswith("_sd") and key[:-3] in ("teff", "logg", "fe_h", "rv")]
        print("star %s: %s; flags %s" % (row["id"], ", ".join("%s %s +- %s" % (x, row[x], row[x + "_sd"]) for x in labels)
                                         if row.get("teff") else "no answer", row.get("flags", "")))


def compare(path):
    truth = {row["id"]: row for row in csv.DictReader(open("truth.csv"))}
    off = {"teff": [], "logg": [], "fe_h": []}
    for row in rows_of(path):
        name = row["id"].strip().replace(".fits", "")
        if name not in truth:
            continue
        if not row.get("teff"):
            print("star %s: no answer, flags %s" % (name, row.get("flags", "")))
            continue
        said = []
        for label in off:
            difference = float(row[label]) - float(truth[name][label])
            said.append("%s %s +- %s (%+.4g)" % (label, row[label], row[label + "_sd"], difference))
            if 4500 <= float(truth[name]["teff"]) <= 6500:
                off[label].append(difference)
        print("star %s: %s; flags %s" % (name, ", ".join(said), row.get("flags", "")))
    for label, values in off.items():
        if values:
            print("median_%s %.4g" % (label, np.median(np.abs(values))))
            print("bias_%s %.4g" % (label, np.median(values)))


def chi2(path, model):
    """Chi-squared per good pixel at the posterior median: with the spectrum's own errors, and with the model's error, too."""
    with h5py.File(model) as m:
        floor = re.search(r"sigma_floor = ([0-9.e-]+)", m.attrs["config"].decode())
        own_error = m["scatter"][:].ravel().astype(float) ** 2 + (float(floor.group(1)) ** 2 if floor else 0)
    with h5py.File(path) as p:
        for i, name in enumerate(p["id"][:]):
            good = p["mask"][i].ravel() == 0
            square = ((p["flux"][i] - p["median"][i]).ravel().astype(float)) ** 2
            variance = p["sigma"][i].ravel().astype(float) ** 2
            good &= variance > 1.0001 * own_error
            print("chi2 %s: %.2f with its own errors, %.2f with those of the model" % (
                name.decode(), np.mean(square[good] / (variance - own_error)[good]), np.mean(square[good] / variance[good])))


if sys.argv[1] == "compare":
    compare(sys.argv[2])
elif sys.argv[1] == "chi2":
    chi2(sys.argv[2], sys.argv[3])
elif sys.argv[1] == "show":
    show(sys.argv[2])
else:
    stars = {"galah": galah, "apogee": apogee, "lamost_lrs": lamost_lrs, "mike": mike, "hires": hires,
             "pepsi": pepsi}[sys.argv[2]](sys.argv[1], np.random.default_rng(1))
    with open("truth.csv", "w") as f:
        f.write("id,teff,logg,fe_h\n" + "".join("%s,%g,%g,%g\n" % ((star,) + LABELS[star]) for star in stars))
