"""Posteriors of stellar labels from spectra: libanpe from Python, with NumPy alone.

    import anpe
    model = anpe.Model("apogee.h5")
    stars = model.infer(files=["apStar-r12-2M08002084+4044415.fits"])
    stars["teff"], stars["teff_sd"], stars.flags(0)
    theta, log_q = stars.draws[0], stars.log_q[0]         # (n_draws, D), (n_draws,)

    flux, sigma, mask, ids = model.read("mocks.h5")       # (n, P) each, as the survey has them
    theta, log_q = model.draw(flux[0], sigma[0], mask[0], n_draws=500)
    model.log_density(theta[:3])                          # of the spectrum that was drawn for last
    spectrum, chi2, n_good = model.predict(theta[0])      # likewise
    stars = model.infer(flux=flux, sigma=sigma, mask=mask, ids=ids, exact=True)
    stars.write("stars.vot")
    stars.to_table()                                      # of astropy

D: labels, in the order of `model.labels`; P: values of a spectrum (channels times pixels). What stands in
the columns is told in docs/book/files.md. Every failure is an `anpe.Error` with the library's own sentence.
A model is for one thread at a time.
"""
import ctypes
import operator
import os
from ctypes import POINTER, byref, c_char, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_void_p

import numpy as np

__all__ = ["Error", "Label", "Model", "Stars", "flags", "version"]


class Error(RuntimeError):
    """What the library says. `status`: its name, such as "ANPE_EIO"."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


# ---- the library: <anpe/anpe.h> --------------------------------------------------------------------


class _Label(ctypes.Structure):
    _fields_ = [("name", c_char * 24), ("unit", c_char * 16), ("min", c_double), ("max", c_double)]


class _Run(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("model", c_char_p), ("opened", c_void_p),
                ("n_files", c_int64), ("files", POINTER(c_char_p)),
                ("n_spectra", c_int64), ("flux", c_void_p), ("sigma", c_void_p), ("mask", c_void_p),
                ("ids", POINTER(c_char_p)), ("n_sets", c_int64), ("sets", POINTER(c_char_p)), ("n_draws", c_int64),
                ("keep_draws", c_int), ("threads", c_int), ("seed", c_uint32), ("exact", c_int),
                ("exact_ess", c_double), ("exact_max", c_int64)]


class _Column(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("unit", c_char_p), ("ucd", c_char_p), ("help", c_char_p), ("type", c_char)]


_LOG = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)
_FUNCTIONS = {  # name: result, arguments
    "anpe_version": (c_char_p, []),
    "anpe_ctx_new": (c_void_p, []),
    "anpe_ctx_free": (c_void_p, [c_void_p]),
    "anpe_error": (c_char_p, [c_void_p]),
    "anpe_status_name": (c_char_p, [c_int]),
    "anpe_ctx_set_log": (None, [c_void_p, _LOG, c_void_p]),
    "anpe_model_find": (c_int, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "anpe_model_open": (c_int, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "anpe_model_close": (c_void_p, [c_void_p]),
    "anpe_model_labels": (c_int64, [c_void_p, POINTER(POINTER(_Label))]),
    "anpe_model_pixels": (c_int64, [c_void_p, POINTER(POINTER(c_double))]),
    "anpe_session_new": (c_int, [c_void_p, c_void_p, c_int64, POINTER(c_void_p)]),
    "anpe_session_free": (c_void_p, [c_void_p]),
    "anpe_infer": (c_int, [c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_uint32,
                           c_int64]),
    "anpe_predict": (c_int, [c_void_p, c_void_p, c_void_p, POINTER(c_double), POINTER(c_int64), c_void_p]),
    "anpe_log_density": (c_int, [c_void_p, c_void_p, c_int64, c_void_p, c_void_p]),
    "anpe_spectra_open": (c_int, [c_void_p, c_void_p, c_char_p, POINTER(c_void_p)]),
    "anpe_spectra_close": (c_void_p, [c_void_p]),
    "anpe_spectra_count": (c_int64, [c_void_p]),
    "anpe_spectra_read": (c_int, [c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_char_p]),
    "anpe_stars_infer": (c_int, [c_void_p, POINTER(_Run), POINTER(c_void_p)]),
    "anpe_stars_free": (c_void_p, [c_void_p]),
    "anpe_stars_count": (c_int64, [c_void_p]),
    "anpe_stars_columns": (c_int, [c_void_p, POINTER(POINTER(_Column))]),
    "anpe_stars_real": (c_double, [c_void_p, c_int64, c_int]),
    "anpe_stars_integer": (c_int64, [c_void_p, c_int64, c_int]),
    "anpe_stars_text": (c_char_p, [c_void_p, c_int64, c_int]),
    "anpe_stars_draws": (POINTER(c_double), [c_void_p, POINTER(POINTER(c_double))]),
    "anpe_stars_write": (c_int, [c_void_p, c_void_p, c_char_p]),
    "anpe_flag_name": (c_char_p, [c_int, POINTER(c_char_p)]),
}


def _load():
    """libanpe: that of ANPE_LIBRARY, else the one that was installed with this file, else the system's."""
    names = [os.environ.get("ANPE_LIBRARY"), "@libdir@/libanpe.so.1", "libanpe.so.1"]
    problems = []
    for name in filter(None, names):
        try:
            lib = ctypes.CDLL(name)
            break
        except OSError as e:
            problems.append(str(e))
    else:
        raise ImportError("libanpe: " + "; ".join(problems))
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


_lib = _load()
_free = ctypes.CDLL(None).free  # of the C library: what it is to take is malloc'ed
_free.restype, _free.argtypes = None, [c_void_p]


@_LOG
def _warn(_, level, line):
    if level >= 2:  # ANPE_WARNING
        import warnings
        warnings.warn(line.decode("utf-8", "replace"), stacklevel=2)


class _Context:
    """Where the library says what went wrong."""

    def __init__(self):
        self.at = _lib.anpe_ctx_new()
        if not self.at:
            raise MemoryError("anpe")
        _lib.anpe_ctx_set_log(self.at, _warn, None)

    def check(self, status):
        if status:
            raise Error(_lib.anpe_error(self.at).decode("utf-8", "replace"), _lib.anpe_status_name(status).decode())

    def __del__(self):
        if getattr(self, "at", None):
            _lib.anpe_ctx_free(self.at)


def _array(x, kind, shape, name):
    """Contiguous, of this kind and shape; a -1 of the shape takes any length. What a masked array of
    numbers masks is no number."""
    if isinstance(x, np.ma.MaskedArray):
        x = x.astype(kind).filled(np.nan)
    a = np.ascontiguousarray(x, kind)
    if a.ndim != len(shape) or any(w not in (-1, n) for n, w in zip(a.shape, shape)):
        wanted = "(" + ", ".join("n" if w < 0 else str(w) for w in shape) + ")"
        raise ValueError(f"{name} has shape {a.shape}, expected {wanted}")
    return a


def _bad(mask, shape):
    """A mask as the library has it: 1 for what is not 0, or is masked itself."""
    mask = mask.filled(1) if isinstance(mask, np.ma.MaskedArray) else np.asarray(mask)
    return _array(mask != 0, np.uint8, shape, "mask")


def _whole(x, low, high, name):
    """A whole number in this range, which ctypes would cut to fit."""
    x = operator.index(x)
    if not low <= x <= high:
        raise ValueError(f"{name} is {x}, expected a whole number from {low} to {high}")
    return x


def _path(x):
    """The bytes of a file's name."""
    name = os.fsencode(x)
    if b"\0" in name:
        raise ValueError(f"a name with a null character: {x!r}")
    return name


def _texts(list_):
    """(char **) of a list, with the list that keeps it alive; one text is a list of one."""
    list_ = [list_] if isinstance(list_, (str, bytes, os.PathLike)) else list_
    encoded = [_path(str(t) if isinstance(t, (int, np.integer)) else t) for t in list_]
    return (c_char_p * max(1, len(encoded)))(*encoded)


def version():
    """Of the library."""
    return _lib.anpe_version().decode()


def flags():
    """The bits of the column `flags`, lowest first: a list of (name, what it says)."""
    list_, help_ = [], c_char_p()
    while (name := _lib.anpe_flag_name(len(list_), byref(help_))) is not None:
        list_.append((name.decode(), help_.value.decode()))
    return list_


# ---- many stars ------------------------------------------------------------------------------------


class Stars:
    """The rows of a catalogue: `stars["teff"]` is a column (n,), `stars.names` are all of them.

    labels  names of the D labels
    draws   (n, n_draws, D) float64 in the units of the labels, NaN for a star that failed; None unless kept
    log_q   (n, n_draws) natural log of the density that they were drawn from, per unit of the labels
    units, ucds, descriptions  of each column, by name
    """

    def __init__(self, context, at, labels, n_draws, keep):
        self._context, self._at, self.labels = context, at, labels
        n = _lib.anpe_stars_count(at)
        columns = POINTER(_Column)()
        self._column, self.units, self.ucds, self.descriptions = {}, {}, {}, {}
        get = {b"d": (_lib.anpe_stars_real, float), b"i": (_lib.anpe_stars_integer, np.int64),
               b"t": (lambda a, r, k: _lib.anpe_stars_text(a, r, k).decode("utf-8", "replace"), None)}
        for k in range(_lib.anpe_stars_columns(at, byref(columns))):
            c = columns[k]
            name, (cell, kind) = c.name.decode(), get[c.type]
            self._column[name] = np.array([cell(at, r, k) for r in range(n)], dtype=kind if kind else str)
            self.units[name], self.ucds[name] = c.unit.decode(), c.ucd.decode()
            self.descriptions[name] = c.help.decode()
        self.draws = self.log_q = None
        log_q = POINTER(c_double)()
        draws = _lib.anpe_stars_draws(at, byref(log_q))
        if keep and draws:
            self.draws = np.ctypeslib.as_array(draws, (n, n_draws, len(labels))).copy()
            self.log_q = np.ctypeslib.as_array(log_q, (n, n_draws)).copy()

    def __len__(self):
        return len(next(iter(self._column.values())))

    def __getitem__(self, name):
        return self._column[name]

    @property
    def names(self):
        return list(self._column)

    def flags(self, row):
        """The names of the flags of a star."""
        bits = int(self["flags"][row])
        return [name for b, (name, _) in enumerate(flags()) if bits >> b & 1]

    def write(self, path):
        """The catalogue, as FITS, HDF5, CSV, ECSV or VOTable by the end of its name."""
        self._context.check(_lib.anpe_stars_write(self._context.at, self._at, _path(path)))

    def to_table(self):
        """astropy.table.Table, with units where astropy knows them, descriptions, UCDs in each meta."""
        from astropy.table import Column, Table
        from astropy.units import Unit
        table = Table()
        for name, values in self._column.items():
            unit = Unit(self.units[name], parse_strict="silent") if self.units[name] else None
            table[name] = Column(values, unit=unit, description=self.descriptions[name],
                                 meta={"ucd": self.ucds[name]})
        table.meta["flags"] = {name: 1 << b for b, (name, _) in enumerate(flags())}
        return table

    def __del__(self):
        if getattr(self, "_at", None):
            _lib.anpe_stars_free(self._at)


# ---- a model ---------------------------------------------------------------------------------------


class Label:
    """name, unit, and the support of the prior: min, max."""

    def __init__(self, c):
        self.name, self.unit, self.min, self.max = c.name.decode(), c.unit.decode(), c.min, c.max

    def __repr__(self):
        return f"Label({self.name!r}, {self.unit!r}, {self.min:g}, {self.max:g})"


class Model:
    """A trained model: the path of its file, or the name of one of the zoo ("apogee", "apogee@1.0").

    path        of its file
    labels      list of Label, the D labels of the posterior in its order
    wavelength  (P,) vacuum Angstrom, or None where the instrument has none
    n_values    P
    """

    def __init__(self, model):
        self._context, self._session, self._at, self._room = _Context(), None, None, 0
        self.path, at = self._find(model), c_void_p()
        self._context.check(_lib.anpe_model_open(self._context.at, _path(self.path), byref(at)))
        self._at = at.value
        labels, wavelength = POINTER(_Label)(), POINTER(c_double)()
        n = _lib.anpe_model_labels(self._at, byref(labels))
        self.labels = [Label(labels[k]) for k in range(n)]
        self.n_values = _lib.anpe_model_pixels(self._at, byref(wavelength))
        self.wavelength = np.ctypeslib.as_array(wavelength, (self.n_values,)).copy() if wavelength else None

    def _find(self, model):
        path = c_void_p()
        self._context.check(_lib.anpe_model_find(self._context.at, _path(model), byref(path)))
        try:
            return os.fsdecode(ctypes.string_at(path.value))
        finally:
            _free(path)

    def _need_session(self, n_draws):
        if self._session and n_draws <= self._room:
            return
        if self._session:
            self._session = _lib.anpe_session_free(self._session)
        at = c_void_p()
        self._context.check(_lib.anpe_session_new(self._context.at, self._at, n_draws, byref(at)))
        self._session, self._room = at.value, n_draws

    def draw(self, flux, sigma, mask=None, n_draws=1000, seed=1, index=0):
        """Posterior draws for one spectrum as the survey has it.

        flux, sigma (P,) in one unit; mask (P,), not 0: bad, or None. The same seed and index give the same
        draws. Returns theta (n_draws, D) in the units of the labels and log_q (n_draws,).
        """
        p, n_draws = self.n_values, operator.index(n_draws)
        seed, index = _whole(seed, 0, 2**32 - 1, "seed"), _whole(index, 0, 2**63 - 1, "index")
        flux, sigma = _array(flux, np.float32, (p,), "flux"), _array(sigma, np.float32, (p,), "sigma")
        if mask is not None:
            mask = _bad(mask, (p,))
        self._need_session(n_draws)
        theta, log_q = np.empty((n_draws, len(self.labels))), np.empty(n_draws)
        self._context.check(_lib.anpe_infer(
            self._session, self._context.at, n_draws, theta.ctypes.data, log_q.ctypes.data, flux.ctypes.data,
            sigma.ctypes.data, None if mask is None else mask.ctypes.data, seed, index))
        return theta, log_q

    def log_density(self, theta):
        """log q (n,) of labels theta (n, D), for the spectrum that draws were made for last."""
        theta = _array(theta, float, (-1, len(self.labels)), "theta")
        self._need_session(1)
        log_q = np.empty(len(theta))
        self._context.check(_lib.anpe_log_density(self._session, self._context.at, len(theta), log_q.ctypes.data,
                                                  theta.ctypes.data))
        return log_q

    def predict(self, theta):
        """The simulator's spectrum at labels theta (D,), normalised as the spectrum that draws were made for last.

        Returns flux (P,), chi2 against that spectrum over its good pixels, and how many these are.
        """
        theta = _array(theta, float, (len(self.labels),), "theta")
        self._need_session(1)
        flux, chi2, n_good = np.empty(self.n_values, np.float32), c_double(), c_int64()
        self._context.check(_lib.anpe_predict(self._session, self._context.at, flux.ctypes.data, byref(chi2),
                                              byref(n_good), theta.ctypes.data))
        return flux, chi2.value, n_good.value

    def read(self, path):
        """The spectra of a file of the survey, or of HDF5, as the model's instrument reads them.

        Returns flux, sigma (n, P) float32, mask (n, P) uint8 with 1 for a bad pixel, and n identifiers.
        """
        at = c_void_p()
        check = self._context.check
        check(_lib.anpe_spectra_open(self._context.at, self._at, _path(path), byref(at)))
        try:
            n, p, id_ = _lib.anpe_spectra_count(at), self.n_values, ctypes.create_string_buffer(80)
            flux, sigma = np.empty((n, p), np.float32), np.empty((n, p), np.float32)
            mask, ids = np.empty((n, p), np.uint8), []
            for r in range(n):
                check(_lib.anpe_spectra_read(at, self._context.at, r, flux[r].ctypes.data, sigma[r].ctypes.data,
                                             mask[r].ctypes.data, id_))
                ids.append(id_.value.decode("utf-8", "replace"))
        finally:
            _lib.anpe_spectra_close(at)
        return flux, sigma, mask, ids

    def infer(self, files=None, flux=None, sigma=None, mask=None, ids=None, n_draws=1000, seed=1, threads=0,
              exact=False, exact_ess=500, exact_max=100000, keep_draws=True, sets=()):
        """What `anpe infer` does, of files or of arrays: Stars.

        files: names of the survey's files or of HDF5. Or flux, sigma (n, P), mask (n, P) or None, ids (n) or
        None. exact: importance sampling of every star with the simulator, to exact_ess effective draws with
        at most exact_max evaluations of the likelihood. sets: "PATH=VALUE", as --set. A star that cannot be
        used has the flag FAILED and its reason; where none can, that is an Error.
        """
        run = _Run(size=ctypes.sizeof(_Run), model=_path(self.path), n_draws=operator.index(n_draws), keep_draws=keep_draws,
                   threads=threads, seed=_whole(seed, 0, 2**32 - 1, "seed"), exact=exact, exact_ess=exact_ess, exact_max=exact_max)
        if (files is None) == (flux is None):
            raise ValueError("either files or flux")
        if not sets:
            run.opened = self._at
        sets = [sets] if isinstance(sets, str) else list(sets)
        kept = [_texts(sets)]
        run.sets, run.n_sets = kept[0], len(sets)
        if files is not None:
            files = [files] if isinstance(files, (str, bytes, os.PathLike)) else list(files)
            kept.append(_texts(files))
            run.files, run.n_files = kept[-1], len(files)
        else:
            if sigma is None:
                raise ValueError("sigma is missing")
            flux = _array(flux, np.float32, (-1, self.n_values), "flux")
            shape = flux.shape
            sigma = _array(sigma, np.float32, shape, "sigma")
            kept += [flux, sigma]
            run.flux, run.sigma = flux.ctypes.data, sigma.ctypes.data
            if mask is not None:
                kept.append(_bad(mask, shape))
                run.mask = kept[-1].ctypes.data
            run.n_spectra = shape[0]
            if ids is not None:
                if len(ids) != shape[0]:
                    raise ValueError(f"{len(ids)} ids of {shape[0]} spectra")
                kept.append(_texts(ids))
                run.ids = kept[-1]
        at = c_void_p()
        self._context.check(_lib.anpe_stars_infer(self._context.at, byref(run), byref(at)))
        return Stars(self._context, at.value, [l.name for l in self.labels], n_draws, keep_draws)

    def __del__(self):
        if getattr(self, "_session", None):
            _lib.anpe_session_free(self._session)
        if getattr(self, "_at", None):
            _lib.anpe_model_close(self._at)
