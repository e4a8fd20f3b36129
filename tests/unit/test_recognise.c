/* What a file of spectra is: each survey's files are known by their own instrument and by no other,
 * and an instrument that is given another's file says whose it is. */
#include <config.h>
#include "instrument_support.h"
#include "kind/recognise.h"

typedef struct known {
    const char *file, *instrument, *survey, *object;
    anpe_medium medium;
} known;

static const known real[] = {
    {"apogee/apstar/apStar-r6-2M00452143+1634446.fits", "apogee", "APOGEE", "2M00452143+1634446",
     ANPE_MEDIUM_VACUUM},
    {"apogee/aspcap/aspcapStar-r6-l30e.2-2M00452143+1634446.fits", "apogee", "APOGEE",
     "2M00452143+1634446", ANPE_MEDIUM_VACUUM},
    {"cases/apstar_cd_right.fits", "apogee", "APOGEE", "2M19390532+4027346", ANPE_MEDIUM_VACUUM},
    {"lamost/spec-55939-GAC_061N46_V3_sp07-078.fits", "lamost_lrs", "LAMOST",
     "LAMOST J041615.64+451723.3", ANPE_MEDIUM_VACUUM},
    {"lamost/spec-57287-KP193637N444141V03_sp10-161.fits.gz", "lamost_lrs", "LAMOST",
     "LAMOST J192814.09+435530.8", ANPE_MEDIUM_VACUUM},
    {"cases/lamost_table.fits", "lamost_lrs", "LAMOST", "LAMOST J103250.26+354136.2",
     ANPE_MEDIUM_VACUUM},
    {"lamost/med-58646-TD192102N424113K01_sp12-076.fits.gz", "lamost_mrs", "LAMOST",
     "LAMOST J192814.09+435531.0", ANPE_MEDIUM_VACUUM},
    {"mike/HR718_red_multi.fits", "mike", "MIKE", "Star-202", ANPE_MEDIUM_AIR},
    {"galah/1312160026010031.fits", "galah", "GALAH", "Flux Standard - mu Leo", ANPE_MEDIUM_AIR},
    {"gaia_rvs/HD176650.csv", "gaia_rvs", "Gaia RVS", "4268620287278693120", ANPE_MEDIUM_VACUUM},
    {"mike/HR718_red_multi.fits", "mike", "MIKE", "Star-202", ANPE_MEDIUM_AIR}};

static void test_real(void)
{
    anpe_recognised got;
    for (int k = 0; k < COUNT(real); k++) {
        const char *path = shared(real[k].file);
        if (!path)
            return;
        CU_ASSERT_EQUAL(anpe_recognise(ctx, path, &got), ANPE_OK);
        CU_ASSERT_PTR_NOT_NULL_FATAL(got.plugin);
        CU_ASSERT_STRING_EQUAL(got.plugin->name, real[k].instrument);
        CU_ASSERT_EQUAL(got.file.match, ANPE_MATCH_SURVEY);
        CU_ASSERT_STRING_EQUAL(got.file.survey, real[k].survey);
        CU_ASSERT_STRING_EQUAL(got.file.object, real[k].object);
        CU_ASSERT_EQUAL(got.file.medium, real[k].medium);
        CU_ASSERT(got.file.what[0] != 0);
    }
}

/* Every instrument is asked of every file: one at most says that it is its survey's. */
static void test_no_two(void)
{
    const anpe_plugin **list = NULL;
    int n = 0;
    CU_ASSERT_EQUAL_FATAL(anpe_loader_list(ctx, ANPE_INSTRUMENT, &n, &list), ANPE_OK);
    CU_ASSERT(n >= 5);
    for (int k = 0; k < COUNT(real); k++) {
        const char *path = shared(real[k].file);
        int claims = 0;
        for (int i = 0; path && i < n; i++) {
            const anpe_instrument_ops *o = list[i]->ops;
            anpe_recognition r = {.size = sizeof r};
            if (ANPE_HAS(o, recognise) && !o->recognise(ctx, path, &r))
                claims += r.match == ANPE_MATCH_SURVEY;
        }
        CU_ASSERT_EQUAL(claims, path ? 1 : 0);
    }
    free(list);
}

/* ---- files of nobody's, or of anybody's -------------------------------------------------- */

static void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static const char *write_columns(void)
{
    const char *path = in_scratch("star.csv");
    FILE *f = fopen(path, "w");
    fputs("wavelength,flux,error\n", f);
    for (int i = 0; i < 400; i++)
        fprintf(f, "%.2f,%.4f,0.01\n", 5000 + 0.25 * i, 1 + 0.001 * (i % 7));
    fclose(f);
    return path;
}

static void test_nobodys(void)
{
    anpe_recognised got;
    anpe_known_file file;
    const char *path = in_scratch("notes.txt");
    write_text(path, "This is no spectrum.\n");
    CU_ASSERT_EQUAL(anpe_recognise(ctx, path, &got), ANPE_OK);
    CU_ASSERT_PTR_NULL(got.plugin);
    CU_ASSERT_EQUAL(anpe_recognise(ctx, in_scratch("nowhere"), &got), ANPE_OK);
    CU_ASSERT_PTR_NULL(got.plugin);
    CU_ASSERT_EQUAL(anpe_known_file_open(ctx, path, &file), ANPE_EFORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), "none of its columns is known as wavelengths"));
}

static void test_anybodys(void)
{
    anpe_known_file file;
    anpe_spectrum s;
    const char *path = write_columns();
    CU_ASSERT_EQUAL_FATAL(anpe_known_file_open(ctx, path, &file), ANPE_OK);
    const anpe_recognition *r = &file.known.file;
    CU_ASSERT_STRING_EQUAL(file.known.plugin->name, "spectrum");
    CU_ASSERT_EQUAL(r->match, ANPE_MATCH_LAYOUT);
    CU_ASSERT_EQUAL(r->medium, ANPE_MEDIUM_UNKNOWN);
    CU_ASSERT_DOUBLE_EQUAL(r->first, 5000, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(r->last, 5099.75, 1e-6);
    CU_ASSERT_EQUAL(file.n, 1);
    CU_ASSERT_EQUAL_FATAL(anpe_spectrum_new(ctx, anpe_instrument_size(&file.instrument), &s),
                          ANPE_OK);
    CU_ASSERT_EQUAL(anpe_instrument_read(&file.instrument, ctx, &file.input, 0, &s), ANPE_OK);
    CU_ASSERT_STRING_EQUAL(s.id, "star.csv"); /* the file names no star */
    CU_ASSERT_EQUAL(file.input.named, 0);
    anpe_spectrum_clear(&s);
    anpe_known_file_close(&file);
}

/* ---- a file that is another's ------------------------------------------------------------ */

/* What instrument `name` says of a file. */
static void refused(const char *name, const char *path, const char *expected)
{
    char text[128];
    anpe_settings *set = NULL;
    anpe_instrument i;
    anpe_input in;
    anpe_spectrum s;
    snprintf(text, sizeof text, "instrument = { plugin = \"%s\"; };", name);
    CU_ASSERT_EQUAL_FATAL(anpe_settings_parse(ctx, text, "test", 0, NULL, &set), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_instrument_new(ctx, set, &i), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_spectrum_new(ctx, anpe_instrument_size(&i), &s), ANPE_OK);
    CU_ASSERT_EQUAL(anpe_input_open(&i, ctx, path, &in), ANPE_OK);
    CU_ASSERT_EQUAL(anpe_instrument_read(&i, ctx, &in, 0, &s), ANPE_EFORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), expected));
    if (!strstr(anpe_error(ctx), expected))
        printf("    got: %s\n", anpe_error(ctx));
    anpe_input_close(&in);
    anpe_spectrum_clear(&s);
    anpe_instrument_clear(&i);
    anpe_settings_free(set);
}

static void test_anothers(void)
{
    const char *apogee = shared(real[0].file), *lamost = shared(real[3].file);
    const char *medium = shared(real[6].file), *text = in_scratch("notes.txt");
    write_text(text, "This is no spectrum.\n");
    refused("apogee", text, "not a FITS file"); /* nobody's: what is wrong with it stands */
    if (!apogee || !lamost || !medium)
        return;
    refused("apogee", lamost,
            "this is a file of LAMOST, which the instrument lamost_lrs reads; the one asked for is "
            "apogee");
    refused("lamost_lrs", apogee, "this is a file of APOGEE, which the instrument apogee reads");
    refused("lamost_lrs", medium, "which the instrument lamost_mrs reads");
    refused("lamost_mrs", lamost, "which the instrument lamost_lrs reads");
}

/* A file of its own that is damaged keeps its own reason. */
static void test_own(void)
{
    const char *path = in_scratch("own.fits");
    double pixel[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    fitsfile *f = new_fits(path);
    put_image(f, SHORT_IMG, 0, 1, NULL);
    put_text(f, "SURVEY", "apogee");
    put_image(f, FLOAT_IMG, 8, 1, pixel);
    end_fits(f);
    refused("apogee", path, "the flux has 8 pixels");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"files of surveys are known by their instruments", test_real},
        {"no two instruments claim a file", test_no_two},
        {"a file of nobody's", test_nobodys},
        {"a file that any instrument could have written", test_anybodys},
        {"a file of another survey is refused by its name", test_anothers},
        {"a damaged file of its own keeps its reason", test_own}};
    return run_suite(argc, argv, "recognise", COUNT(tests), tests);
}
