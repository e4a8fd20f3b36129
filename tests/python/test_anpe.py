"""python/anpe.py against the command's own files, which test_python.sh has made: MODEL MOCKS EMPTY CATALOGUE.csv"""
import csv
import sys
import warnings

import numpy as np

import anpe

model_path, mocks, empty, catalogue, directory = sys.argv[1:]
failed = 0


def check(name, good, seen=""):
    global failed
    failed += not good
    print("ok" if good else "not ok", name)
    if not good:
        print("    seen:", seen)


def refused(name, error, words, call):
    try:
        call()
    except error as e:
        check(name, words in str(e), str(e))
        return e
    check(name, False, "nothing was raised")


with open(catalogue) as f:
    rows = list(csv.DictReader(line for line in f if not line.startswith("#")))


def as_written(column):
    return np.array([float(r[column]) if r[column] else np.nan for r in rows])


model = anpe.Model(model_path)
n_labels, p = len(model.labels), model.n_values
check("labels", [l.name for l in model.labels] == ["teff", "logg", "fe_h", "mg_fe", "vmicro", "vmacro", "rv"] and
      model.labels[0].unit == "K" and (model.labels[0].min, model.labels[0].max) == (4000, 6500), model.labels)
named = anpe.Model("mini")
check("a model by its name", named.path.endswith("/zoo/mini/1.0/mini.h5") and named.n_values == p, named.path)
refused("a name that there is not", anpe.Error, "neither a file nor a model of the zoo; did you mean 'mini'?",
        lambda: anpe.Model("minj"))
check("wavelengths", model.wavelength.shape == (p,) and 15000 < model.wavelength[0] < model.wavelength[-1] < 17000)
check("flags and what they say", anpe.flags()[0][0] == "FAILED" and all(h.endswith(".") for _, h in anpe.flags()))

# ---- files -----------------------------------------------------------------------------------------

stars = model.infer(files=[mocks, empty], n_draws=200)
check("a row for each spectrum", len(stars) == len(rows) == 7 and list(stars["id"]) == [r["id"] for r in rows])
check("the columns of the command's catalogue", stars.names == list(rows[0]), stars.names)
wrong = [c for c in stars.names if stars[c].dtype.kind in "fi" and
         not np.allclose(stars[c].astype(float), as_written(c), rtol=1e-9, equal_nan=True)]
check("its numbers, to the digits of the file", not wrong, wrong)
check("its texts", all(list(stars[c]) == [r[c] for r in rows] for c in stars.names if stars[c].dtype.kind == "U"))
check("units and UCDs", stars.units["teff_sd"] == "K" and stars.ucds["teff"] == "phys.temperature.effective;stat.median")
check("draws of every star", stars.draws.shape == (7, 200, n_labels) and stars.log_q.shape == (7, 200))
check("whose median is the catalogue's", np.allclose(np.median(stars.draws[:6], axis=1)[:, 0], stars["teff"][:6], rtol=1e-9))
check("a star that failed: NaN, a flag and a reason", np.isnan(stars.draws[6]).all() and np.isnan(stars.log_q[6]).all()
      and stars.flags(6) == ["FAILED"] and stars["reason"][6] != "")
stars.write(directory + "/python.csv")
# but for what --resume knows the command's by
written, run = open(catalogue).readlines(), "# RUN = "
check("the catalogue, byte for byte", open(directory + "/python.csv").readlines() == [l for l in written if not l.startswith(run)])
check("draws that were not asked for", model.infer(files=mocks, n_draws=20, keep_draws=False).draws is None)

# ---- arrays ----------------------------------------------------------------------------------------

flux, sigma, mask, ids = model.read(mocks)
check("a file as arrays", flux.shape == sigma.shape == mask.shape == (6, p) and set(np.unique(mask)) <= {0, 1} and
      ids == [r["id"] for r in rows[:6]], ids)
again = model.infer(flux=flux, sigma=sigma, mask=mask, ids=ids, n_draws=200, threads=1)
check("arrays: the same draws as the file", np.array_equal(again.draws, stars.draws[:6]) and
      np.array_equal(again.log_q, stars.log_q[:6]))
check("and the same judgement", np.array_equal(again["flags"], stars["flags"][:6]) and
      np.array_equal(again["chi2"], stars["chi2"][:6]) and list(again["id"]) == ids)
theta, log_q = model.draw(flux[2], sigma[2], mask[2], n_draws=200, seed=1, index=2)
check("one spectrum: the same draws again", np.array_equal(theta, stars.draws[2]) and np.array_equal(log_q, stars.log_q[2]))
check("its draws are inside the prior", all(((l.min <= t) & (t <= l.max)).all() for l, t in zip(model.labels, theta.T)))

# ---- densities and spectra -------------------------------------------------------------------------

density = model.log_density(theta)
# the flow's coordinates are floats, and here they are found again from the labels
check("log densities of the draws are those they were drawn with", np.allclose(density, log_q, atol=0.02),
      np.abs(density - log_q).max())
outside = theta[:1].copy()
outside[0, 0] = model.labels[0].max + 1
check("outside of the prior there is none", model.log_density(outside)[0] == -np.inf)
spectrum, chi2, n_good = model.predict([stars[l][2] for l in stars.labels])
check("a model spectrum, with the catalogue's chi2", spectrum.shape == (p,) and np.isclose(chi2, stars["chi2"][2], rtol=1e-6)
      and n_good == stars["n_good"][2], (chi2, stars["chi2"][2]))
exact = model.infer(flux=flux[:1], sigma=sigma[:1], mask=mask[:1], n_draws=50, exact=True, exact_ess=10, exact_max=2000)
check("exact: its columns", exact["n_evaluations"][0] > 0 and exact["rung"][0] != "" and list(exact["id"]) == ["[0]"])

# ---- refusals --------------------------------------------------------------------------------------

blind = np.arange(p) < p // 3
seen = [model.draw(f, sigma[0], m, n_draws=20)[0] for f, m in
        ((flux[0], mask[0] | blind), (np.ma.masked_array(flux[0], blind), mask[0]), (flux[0], mask[0]))]
check("what a masked array masks is bad", np.array_equal(seen[0], seen[1]) and not np.array_equal(seen[0], seen[2]))
seen = [model.infer(flux=flux[:1], sigma=s, mask=m, n_draws=20).draws for s, m in
        ((sigma[:1], [mask[0] | blind]), (np.ma.masked_array(sigma[:1], [blind]), mask[:1]))]
check("in a run, too, and of the errors", np.array_equal(*seen))
check("whole numbers as identifiers", list(model.infer(flux=flux[:2], sigma=sigma[:2], ids=np.arange(7, 9))["id"]) == ["7", "8"])
e = refused("no such model", anpe.Error, "nowhere.h5", lambda: anpe.Model("nowhere.h5"))
check("with its status", e is not None and e.status == "ANPE_EIO", e and e.status)
refused("no such spectrum", anpe.Error, "nowhere.fits", lambda: model.infer(files=["nowhere.fits"]))
refused("spectra of another length", ValueError, "flux has shape", lambda: model.infer(flux=flux[:, :-1], sigma=sigma))
refused("one of another length", ValueError, "sigma has shape", lambda: model.draw(flux[0], sigma[0][:-1]))
refused("one spectrum where many are", ValueError, "expected (n, ", lambda: model.infer(flux=flux[0], sigma=sigma[0]))
refused("a seed that would be cut", ValueError, "seed is 8589934592", lambda: model.draw(flux[0], sigma[0], seed=2**33))
refused("and in a run", ValueError, "seed is -1", lambda: model.infer(flux=flux, sigma=sigma, seed=-1))
refused("a name with a null character", ValueError, "null character", lambda: anpe.Model("mini\0"))
refused("neither files nor arrays", ValueError, "either files or flux", lambda: model.infer())
refused("a density before any spectrum", anpe.Error, "no spectrum", lambda: anpe.Model(model_path).log_density(theta))
refused("labels that are none", anpe.Error, "label 'logg' of row 1 is not finite",
        lambda: model.log_density(np.where(np.arange(14).reshape(2, 7) == 8, np.nan, theta[:2])))
refused("no catalogue by its name", anpe.Error, "ends in .fits", lambda: stars.write("stars.txt"))
refused("an option that no model has", anpe.Error, "nonsense", lambda: model.infer(files=mocks, sets=["nonsense.x=1"]))
try:
    import astropy.table  # noqa: F401
except ImportError:
    print("skip to_table: astropy is not installed")
else:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = stars.to_table()
    check("an astropy table, with units and UCDs", str(table["teff"].unit) == "K" and
          table["logg"].meta["ucd"].startswith("phys.gravity") and len(table) == 7)
sys.exit(failed > 0)
