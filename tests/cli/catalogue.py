"""The catalogues of test_catalogue.sh as Astropy reads them: one table, with all that describes it."""
import sys
import warnings

import h5py
import numpy as np
from astropy.io import fits
from astropy.io.votable import parse
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table

fits_path, h5_path, csv_path, ecsv_path, vot_path = sys.argv[1:]
failed = 0


def check(name, good):
    global failed
    failed += not good
    print("ok" if good else "not ok", name)


header = fits.getheader(fits_path, 1)
n = header["TFIELDS"]
names = [header[f"TTYPE{k}"] for k in range(1, n + 1)]
units = [header.get(f"TUNIT{k}", "") for k in range(1, n + 1)]
ucds = [header.get(f"TUCD{k}", "") for k in range(1, n + 1)]
helps = [header.get(f"TCOMM{k}", "") for k in range(1, n + 1)]
keywords = {k: header[k] for k in ("CREATOR", "MODEL", "MODELSHA", "SEED", "FLAG0", "DATE")}
rows = fits.getdata(fits_path, 1)

bad = [f"{a}: {u}" for a, u in zip(names, ucds)
       if not u or not check_ucd(u, check_controlled_vocabulary=True)]
for line in bad:
    print("   ", line)
check("every column has a UCD of the IVOA's list", not bad)
check("every column has a description", all(helps))

with warnings.catch_warnings():
    warnings.simplefilter("error")  # what is not as the standard has it
    # the unit of abundances, which VOUnits does not list and surveys write all the same
    warnings.filterwarnings("ignore", "W50.*dex|.*W50: Invalid unit string 'dex'")
    votable = parse(vot_path, verify="warn")
    ecsv = Table.read(ecsv_path, format="ascii.ecsv")
field = votable.get_first_table().fields
check("VOTable: names", [f.name for f in field] == names)
check("VOTable: units", [str(f.unit or "") for f in field] == [u and str(f.unit) for u, f in zip(units, field)]
      and all(bool(u) == (f.unit is not None) for u, f in zip(units, field)))
check("VOTable: UCDs", [f.ucd for f in field] == ucds)
check("VOTable: descriptions", [f.description for f in field] == helps)
info = {i.name: i.value for i in votable.resources[0].infos}
check("VOTable: provenance", all(info.get(k) == v for k, v in keywords.items()))
check("ECSV: names", ecsv.colnames == names)
check("ECSV: units", all(bool(u) == (ecsv[a].unit is not None) for a, u in zip(names, units)))
check("ECSV: UCDs", [ecsv[a].meta["ucd"] for a in names] == ucds)
check("ECSV: descriptions", [ecsv[a].description for a in names] == helps)
check("ECSV: provenance", all(ecsv.meta.get(k) == v for k, v in keywords.items()))
h5 = h5py.File(h5_path)
check("HDF5: units, UCDs, descriptions",
      all((h5[a].attrs["unit"].decode(), h5[a].attrs["ucd"].decode(), h5[a].attrs["description"].decode())
          == (u, c, d) for a, u, c, d in zip(names, units, ucds, helps)))
csv = Table.read(csv_path, format="ascii.csv", comment="#")
check("CSV: names", csv.colnames == names)


def same(a, b):
    """Texts alike; numbers to the ten digits of a text, missing where those of FITS are."""
    a, b = np.asarray(a), np.ma.asarray(b)
    if a.dtype.kind in "US":
        return all(str(x).strip() == str("" if y is np.ma.masked else y).strip() for x, y in zip(a, b))
    return np.allclose(a.astype(float), np.ma.filled(b.astype(float), np.nan), rtol=1e-9, equal_nan=True)


table = votable.get_first_table().to_table()
for what, get in (("VOTable", table.__getitem__), ("ECSV", ecsv.__getitem__), ("CSV", csv.__getitem__),
                  ("HDF5", lambda a: h5[a].asstr()[:] if h5[a].dtype.kind in "SO" else h5[a][:])):
    wrong = [a for a in names if not same(rows[a], get(a))]
    if wrong:
        print("    differ:", wrong)
    check(f"{what}: the cells of FITS", not wrong)
check("there is a row without numbers and one with", len(rows) == 6 and
      sum(np.isnan(rows[names[3]])) == 1)
sys.exit(failed > 0)
