/* The reader of GALAH's arms: which files make a star, what their errors are, what is refused. The
 * numbers of real files are compared with astropy's in tests/cli/layouts.py. */
#include <config.h>
#include "instrument_support.h"

enum { N = 4096 };
static const char plain[] = "instrument: { plugin = \"galah\"; };";
static const struct {
    double start, step; /* air */
} arms[4] = {{4714, 0.046}, {5650, 0.0546}, {6477.5, 0.063}, {7585.7, 0.0735}};

/* HDUs of an arm file, in order; a name "" gives none. */
typedef struct layout {
    const char *name[8];
    int n, error;    /* HDUs; which holds the errors */
    double relative; /* the errors' value */
    const char *slit, *instrument, *ctype;
} layout;
static const layout release_3 = {
    .name = {"", "input_sigma", "no_sky_subspectrum", "no_sky_sigma", ""},
    .n = 5,
    .error = 1,
    .relative = 0.01,
    .slit = "OUT",
    .instrument = "HERMES-2dF"};
static const layout release_4 = {
    .n = 8, .error = 2, .relative = 0.01, .slit = "OUT", .instrument = "HERMES-2dF"};

/* Flux 1000 (arm + 1), but for ten pixels of no light from 2000 on. Other HDUs are 5, which would
 * be seen as an error of 500 %. */
static const char *put_arm(const char *name, int arm, const layout *l)
{
    const char *path = in_scratch(name);
    static double data[N];
    fitsfile *f = new_fits(path);
    for (int hdu = 0; hdu < l->n; hdu++) {
        for (int i = 0; i < N; i++)
            data[i] = hdu == 0          ? (i >= 2000 && i < 2010 ? -3 : 1000.0 * (arm + 1))
                      : hdu == l->error ? l->relative
                                        : 5;
        put_image(f, DOUBLE_IMG, N, 1, data);
        put_real(f, "CRVAL1", arms[arm].start);
        put_real(f, "CDELT1", arms[arm].step);
        if (l->name[hdu] && l->name[hdu][0])
            put_text(f, "EXTNAME", l->name[hdu]);
        if (l->ctype)
            put_text(f, "CTYPE1", l->ctype);
        if (hdu == 0) {
            put_text(f, "OBJECT", "a star");
            put_text(f, "SLITMASK", l->slit);
            put_text(f, "INSTRUME", l->instrument);
        }
    }
    end_fits(f);
    return path;
}

static int64_t good_of(int segment)
{
    int64_t n = 0;
    for (int64_t i = info.segment[segment]; i < info.segment[segment + 1]; i++)
        n += !spectrum.mask[i];
    return n;
}

static int64_t count_of(const char *path)
{
    int64_t n = -1;
    WORKS(ops->count(instrument.self, ctx, path, &n));
    return n;
}

static void is_the_star(int has_arm[4], const char *path)
{
    WORKS(read_row(path, 0));
    CU_ASSERT(all_finite());
    CU_ASSERT_STRING_EQUAL(spectrum.id, "a star");
    for (int k = 0; k < 4; k++) {
        CU_ASSERT(has_arm[k] ? good_of(k) > 1700 : good_of(k) == 0);
        for (int64_t i = info.segment[k]; has_arm[k] && i < info.segment[k + 1]; i++)
            if (!spectrum.mask[i]) { /* and none of the pixels without light */
                CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i], 1000 * (k + 1), 1e-3 * (k + 1));
                CU_ASSERT(spectrum.sigma[i] > 0.5f && spectrum.sigma[i] < 10.5f * (float)(k + 1));
            }
    }
}

/* The arms that are there, in both layouts, gzipped names included; each given alone. */
static void test_arms(void)
{
    char name[40];
    WORKS(open_instrument(plain));
    CU_ASSERT(info.n_segments == 4 && info.resolution[0] == 28000);
    for (int missing = -1; missing < 4; missing++) {
        int has[4], first = missing == 0;
        for (int k = 0; k < 4; k++) {
            has[k] = k != missing;
            snprintf(name, sizeof name, "13121600260100%d%d.fits", missing + 2, k + 1);
            if (has[k])
                put_arm(name, k, k % 2 ? &release_3 : &release_4);
        }
        for (int k = 0; k < 4; k++)
            if (has[k]) {
                snprintf(name, sizeof name, "13121600260100%d%d.fits", missing + 2, k + 1);
                is_the_star(has, in_scratch(name));
                CU_ASSERT_EQUAL(count_of(in_scratch(name)), k == first);
            }
    }
    int green[4] = {0, 1, 0, 0};
    is_the_star(green, put_arm("of_another_name.fits", 1, &release_3));
    layout capitals = release_3; /* as astropy writes a name */
    capitals.name[1] = "INPUT_SIGMA";
    is_the_star(green, put_arm("of_another_name.fits", 1, &capitals));
    CU_ASSERT_EQUAL(count_of(in_scratch("of_another_name.fits")), 1);
    WORKS(open_instrument("instrument: { plugin = \"galah\"; identifier = \"sobject_id\"; };"));
    WORKS(read_row(in_scratch("1312160026010011.fits"), 0));
    CU_ASSERT_STRING_EQUAL(spectrum.id, "131216002601001");
}

/* A dark pixel of the file is a bad pixel here: nothing is made of |flux| times an error. */
static void test_dark(void)
{
    WORKS(open_instrument(plain));
    WORKS(read_row(put_arm("dark.fits", 1, &release_3), 0));
    const double at = anpe_air_to_vacuum(arms[1].start + 2005 * arms[1].step);
    int bad = 0;
    for (int64_t i = info.segment[1]; i < info.segment[2]; i++)
        if (fabs(info.wavelength[i] - at) < 0.2)
            bad += spectrum.mask[i];
    CU_ASSERT(bad >= 4);
}

static void test_refuses(void)
{
    layout l = release_3;
    WORKS(open_instrument(plain));
    l.slit = "IN";
    FAILS(read_row(put_arm("slit.fits", 0, &l), 0), ANPE_EINVAL, "SLITMASK IN");
    l = release_3;
    l.instrument = "AAOMEGA-2dF";
    FAILS(read_row(put_arm("other.fits", 0, &l), 0), ANPE_EFORMAT, "INSTRUME is AAOMEGA-2dF");
    l = release_3;
    l.name[1] = "sigma";
    FAILS(read_row(put_arm("layout.fits", 0, &l), 0), ANPE_EFORMAT,
          "expected a HERMES arm of GALAH DR3 or DR4");
    l = release_3;
    l.relative = 10;
    FAILS(read_row(put_arm("errors.fits", 0, &l), 0), ANPE_EFORMAT,
          "its errors are above 1 in most pixels");
    FAILS(read_row(in_scratch("errors.fits"), 1), ANPE_EINVAL, "no spectrum 1");
    FAILS(read_row(in_scratch("absent.fits"), 0), ANPE_EIO, "No such file");
    /* a damaged arm is not a missing one */
    put_arm("1312160026010091.fits", 0, &release_3);
    cut_file(put_arm("1312160026010093.fits", 2, &release_3), 2880 * 4);
    FAILS(read_row(in_scratch("1312160026010091.fits"), 0), ANPE_EFORMAT, "1312160026010093.fits");
}

/* The first pixel that has light: 1.33 A to the red where the file's wavelengths are of air. */
static void test_medium(void)
{
    static const char *const ctypes[] = {NULL, "LINEAR", "WAVE"};
    int64_t first[3];
    WORKS(open_instrument("instrument: { plugin = \"galah\"; windows = [4700.0, 4901.0]; };"));
    for (int k = 0; k < 3; k++) {
        layout l = release_3;
        l.ctype = ctypes[k];
        WORKS(read_row(put_arm("medium.fits", 0, &l), 0));
        for (first[k] = 0; spectrum.mask[first[k]]; first[k]++)
            ;
    }
    CU_ASSERT_EQUAL(first[1], first[0]);
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[first[0]] - info.wavelength[first[2]], 1.33, 0.14);
}

/* High resolution is read by an instrument that says so. */
static void test_slit_mask(void)
{
    layout l = release_3;
    l.slit = "IN";
    WORKS(open_instrument("instrument: { plugin = \"galah\"; resolution = 42000.0; };"));
    WORKS(read_row(put_arm("high.fits", 2, &l), 0));
    CU_ASSERT(good_of(2) > 2500);
}

/* Without a library: arms end early, and not always at the same pixel. */
static void test_noise(void)
{
    const anpe_noise_ops *n;
    int64_t ends = 0;
    WORKS(open_noise("instrument: { plugin = \"galah\"; }; noise: { plugin = \"galah\"; };"));
    n = noise.ops;
    for (uint32_t k = 0; k < 40; k++) {
        anpe_rng rng = {.key = {k, 5}};
        int64_t dark = 0;
        WORKS(n->draw(noise.self, ctx, &rng, &spectrum));
        CU_ASSERT(all_finite());
        for (int64_t i = info.segment[1]; i < info.segment[2] && spectrum.mask[i]; i++)
            dark++;
        ends += dark;
        CU_ASSERT(n_good() > info.n_pixels / 2);
    }
    /* exponential of mean 20: the mean of 40 is within 4 of its 3.2 */
    CU_ASSERT(ends > 40 * 7 && ends < 40 * 33);
}

static void test_recognise(void)
{
    anpe_recognition r = {.size = sizeof r};
    layout other = release_3;
    other.instrument = "UVES";
    WORKS(open_instrument(plain));
    WORKS(ops->recognise(ctx, put_arm("own.fits", 2, &release_3), &r));
    CU_ASSERT_EQUAL(r.match, ANPE_MATCH_SURVEY);
    CU_ASSERT_STRING_EQUAL(r.survey, "GALAH");
    CU_ASSERT_STRING_EQUAL(r.object, "a star");
    CU_ASSERT_EQUAL(r.medium, ANPE_MEDIUM_AIR);
    r = (anpe_recognition){.size = sizeof r};
    WORKS(ops->recognise(ctx, put_arm("uves.fits", 2, &other), &r));
    CU_ASSERT_EQUAL(r.match, ANPE_MATCH_NONE);
    WORKS(ops->recognise(ctx, in_scratch("absent.fits"), &r));
    CU_ASSERT_EQUAL(r.match, ANPE_MATCH_NONE);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"arms", test_arms},          {"dark pixels", test_dark},
                                 {"refuses", test_refuses},    {"slit mask", test_slit_mask},
                                 {"medium", test_medium},      {"noise", test_noise},
                                 {"recognise", test_recognise}};
    const int code = run_suite(argc, argv, "instrument galah", COUNT(tests), tests);
    close_all();
    return code;
}
