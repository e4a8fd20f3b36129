"""Files for the study calibrate.sh: calibrate.py FORWARD, in the current directory.

atlas9.h5: the ATLAS9 models of FORWARD/atmospheres for the simulator `lte`, those of [M/H] 0, which have no
microturbulence, brought to 2 km/s with the difference of two older grids. hband.cfg: the Sun and Arcturus in the H band."""
import sys

import h5py
import numpy as np

FORWARD = sys.argv[1]


def log_tau(column, opacity):
    f = column * opacity
    return np.log10(np.concatenate([[f[0]], f[0] + np.cumsum(0.5 * (f[1:] + f[:-1]) * np.diff(np.log(column)))]))


def corrected(tau, structure, without, with_turbulence):
    """structure (layers, 4): column, T, P, ne, times the ratio of two models at the same optical depth."""
    keep = np.isfinite(without).all(1) & np.isfinite(with_turbulence).all(1)
    a, b = without[keep], with_turbulence[keep]
    ta, tb = log_tau(a[:, 0], a[:, 4]), log_tau(b[:, 0], b[:, 4])
    x = np.clip(tau, max(ta[0], tb[0]), min(ta[-1], tb[-1]))
    change = [np.interp(x, tb, np.log(b[:, k])) - np.interp(x, ta, np.log(a[:, k])) for k in range(4)]
    return structure * np.exp(np.array(change).T)


def atmospheres():
    d = dict(np.load(FORWARD + "/atmospheres/atlas9_odfnew.npz"))  # not again for every model
    old = dict(np.load(FORWARD + "/atmospheres/atlas9_nover.npz"))
    nodes, rows = [], []
    for i, m_h in enumerate(d["metallicity"]):
        for j, teff in enumerate(d["teff"]):
            for k, logg in enumerate(d["logg"]):
                s = d["structure"][i, j, k].astype(float)
                if not np.isfinite(s).all():
                    continue
                tau, structure = log_tau(s[:, 0], s[:, 4]), s[:, :4]
                if m_h == 0:
                    structure = corrected(tau, structure, old["p00_k0"][j, k].astype(float),
                                          old["p00_k2"][j, k].astype(float))
                nodes.append((teff, logg, m_h, 2))
                rows.append(np.column_stack([tau, structure]))
    number = d["abundance_log_number"][list(d["metallicity"]).index(0)]
    hydrogen = np.log10(number[0])
    abundance = [12, 12 + np.log10(number[1]) - hydrogen] + [12 + a - hydrogen if a > -19 else -99 for a in number[2:92]]
    with h5py.File("atlas9.h5", "w") as f:
        f["node"], f["structure"], f["abundance"] = np.array(nodes), np.array(rows), np.array(abundance)


ELEMENTS = "c n o na mg al si p s k ca ti v cr mn co ni cu ge".split()
NUMBER = dict(c=6, n=7, o=8, na=11, mg=12, al=13, si=14, p=15, s=16, k=19, ca=20, ti=22, v=23, cr=24, mn=25, fe=26, co=27, ni=28,
              cu=29, ge=32)
SUN_CNO = dict(c=8.43, n=7.83, o=8.69)  # of the simulator: Asplund et al. 2009


def composition(name):
    """log N of 92 elements, H = 12, of a MARCS model."""
    lines = open("%s/atmospheres/%s" % (FORWARD, name)).read().split("\n")
    first = 1 + [i for i, line in enumerate(lines) if line.startswith("Logarithmic chemical number abundances")][0]
    return [float(x) for line in lines[first:first + 10] for x in line.split()]


def of_arcturus():
    """[X/Fe] over the Sun's of the MARCS model that APOGEE had made for Arcturus with the labels of Ramirez & Allende Prieto
    2011, ApJ 743, 135. That paper has C, O, Na, Mg, Al, Si, K, Ca, Ti, V, Cr, Mn, Co and Ni; what the model has for P, S, Cu
    and Ge is assumed. C, N and O are taken as numbers of atoms: molecules tell those."""
    star, sun = composition("marcs_arcturus_apogee.mod"), composition("marcs_sun_apogee.mod")
    fe_h = star[25] - sun[25]
    return {e: round(star[NUMBER[e] - 1] - SUN_CNO.get(e, sun[NUMBER[e] - 1]) - fe_h, 3) + 0.0 for e in ELEMENTS}


def star(name, given, abundance):
    labels = given + ["%s_fe=%g" % (e, abundance.get(e, 0)) for e in ELEMENTS]
    return '{ file = "%s/reference/%s.npz"; air = true; labels = [ %s ]; }' % (
        FORWARD, name, ", ".join('"%s"' % label for label in labels))


def configuration(low, high):
    sun = star("apogee_sun_fts", "teff=5772 logg=4.438 fe_h=0 vmicro=1 c12_c13=89.9 rv=0.8 vsini=1.7 vmacro=3.5".split(), {})
    arcturus = star("apogee_arcturus_fts", "teff=4286 logg=1.66 fe_h=-0.52 vmicro=1.7 c12_c13=7 rv=14.2 vsini=1.8 "
                    "vmacro=5.2".split(), of_arcturus())
    open("hband.cfg", "w").write("""simulator = {
    plugin = "lte"; atmospheres = ( { file = "atlas9.h5"; } );
    lists = ( { file = "%s/linelists/vald3_15000_17000.pfant.gz"; format = "pfant"; vacuum = true; accuracy = 0.5; },
              { file = "%s/linelists/apogee_dr17_molecules.turbospec.gz"; accuracy = 0.1; } );
    hydrogen = "%s/physics/hydrogen_stark_lemke.dat.gz";
    free = [ "teff", "logg", "fe_h", "vmicro", "c12_c13" ]; abundances = [ %s ];
    lambda_min = %.1f; lambda_max = %.1f; step = 3.0; fine = 1.5;
};
calibrate = { resolution = 22500.0; lambda_min = %.1f; lambda_max = %.1f; sigma = 0.006; damping = 0.15; steps = 3;
    stars = ( %s, %s ); };
""" % (FORWARD, FORWARD, FORWARD, ", ".join('"%s_fe"' % e for e in ELEMENTS), low - 75, high + 45, low, high, sun, arcturus))


atmospheres()
configuration(*(float(x) for x in sys.argv[2:4]))
