/* The reader of Gaia RVS spectra: stars in one file, what is missing, what is refused. Layouts that
 * astropy writes and real files are compared with its reading in tests/cli/layouts.py. */
#include <config.h>
#include "instrument_support.h"

enum { N = 2401 };
static const char plain[] = "instrument: { plugin = \"gaia_rvs\"; };";

static double flux_of(int star, int i)
{
    return 1 - 0.1 * star + 1e-5 * i;
}

/* Stars a, b, a again: three spectra. The last five pixels of each are missing. */
static const char *combined(const char *missing)
{
    static const char *const ids[] = {"1111111111111111111", "2222222222222222222",
                                      "1111111111111111111"};
    const char *path = in_scratch("combined.csv");
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fprintf(f, "source_id,wavelength,flux,flux_error\n");
    for (int star = 0; star < 3; star++)
        for (int i = 0; i < N; i++) {
            fprintf(f, "%s,%.2f,", ids[star], 846 + 0.01 * i);
            if (i < N - 5)
                fprintf(f, "%.6f,0.01\n", flux_of(star, i));
            else
                fprintf(f, "%s,%s\n", missing, missing);
        }
    fclose(f);
    return path;
}

static void test_stars(void)
{
    static const char *const missing[] = {"", "null", "NaN", "--"};
    WORKS(open_instrument(plain));
    CU_ASSERT(info.n_segments == 1 && info.resolution[0] == 11500 && info.needs_continuum);
    for (size_t k = 0; k < sizeof missing / sizeof *missing; k++) {
        int64_t n = 0;
        const char *path = combined(missing[k]);
        WORKS(ops->count(instrument.self, ctx, path, &n));
        CU_ASSERT_EQUAL(n, 3);
        for (int star = 0; star < 3; star++) {
            WORKS(read_row(path, star));
            CU_ASSERT(all_finite());
            CU_ASSERT_STRING_EQUAL(spectrum.id,
                                   star == 1 ? "2222222222222222222" : "1111111111111111111");
            for (int64_t i = 0; i < info.n_pixels; i++) {
                const double pixel = (info.wavelength[i] - 8460) / 0.1;
                if (!spectrum.mask[i])
                    CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i], 1 - 0.1 * star + 1e-5 * pixel, 2e-5);
            }
        }
        FAILS(read_row(path, 3), ANPE_EINVAL, "no spectrum 3; the file has 3");
    }
}

static void test_recognise(void)
{
    anpe_recognition r = {.size = sizeof r};
    WORKS(open_instrument(plain));
    WORKS(ops->recognise(ctx, combined("null"), &r));
    CU_ASSERT_EQUAL(r.match, ANPE_MATCH_SURVEY);
    CU_ASSERT_STRING_EQUAL(r.survey, "Gaia RVS");
    CU_ASSERT_STRING_EQUAL(r.object, "1111111111111111111");
    CU_ASSERT_EQUAL(r.n_spectra, 3);
    r = (anpe_recognition){.size = sizeof r};
    write_bytes(in_scratch("other.csv"), "wavelength,flux\n846,1\n847,1\n", 28);
    WORKS(ops->recognise(ctx, in_scratch("other.csv"), &r));
    CU_ASSERT_EQUAL(r.match, ANPE_MATCH_NONE);
}

static const char head[] = "<?xml version=\"1.0\"?>\n<VOTABLE version=\"1.4\"><RESOURCE><TABLE>\n";
static const char fields[] = "<FIELD name=\"wavelength\" unit=\"nm\" datatype=\"double\"/>"
                             "<FIELD name=\"flux\" datatype=\"float\"/>"
                             "<FIELD name=\"flux_error\" datatype=\"float\"/>\n";

static const char *votable(const char *text)
{
    const char *path = in_scratch("bad.vot");
    char *whole;
    CU_ASSERT_FATAL(asprintf(&whole, "%s%s", head, text) > 0);
    write_bytes(path, whole, strlen(whole));
    free(whole);
    return path;
}

static void refused(const char *before, const char *text, const char *message)
{
    char *both;
    CU_ASSERT_FATAL(asprintf(&both, "%s%s", before, text) > 0);
    const anpe_status status = read_row(votable(both), 0);
    if (!status || !strstr(anpe_error(ctx), message)) {
        printf("\n  message: %s\n  wanted:  %s\n", status ? anpe_error(ctx) : "(none)", message);
        CU_FAIL("message");
    }
    free(both);
}

static void test_refuses(void)
{
    WORKS(open_instrument(plain));
    refused(fields, "<DATA><TABLEDATA><TR><TD>846</TD><TD>1</TD></TR>", "a row of 2 cells");
    refused(fields, "<DATA><TABLEDATA><TR><TD>846</TD><TD>x1</TD><TD>1</TD></TR>",
            "field flux: expected a number: 'x1'");
    refused(fields, "<DATA><TABLEDATA><TR><TD>846</TD>", "not a VOTable: no element found");
    refused(fields, "<DATA><BINARY2><STREAM encoding=\"base64\">AEC?</STREAM>", "is not base64");
    refused(fields, "<DATA><BINARY2><STREAM encoding=\"base64\">AECKcAAA</STREAM>",
            "its stream ends within a row");
    refused(fields, "<DATA><BINARY><STREAM href=\"http://a.b/c\"></STREAM>",
            "expected base64 in the file itself");
    refused(fields, "<DATA><FITS><STREAM/></FITS></DATA>", "a VOTable with FITS inside");
    refused("<FIELD name=\"time\" datatype=\"double\"/><FIELD name=\"flux\" datatype=\"double\"/>",
            "<DATA><TABLEDATA/></DATA></TABLE></RESOURCE></VOTABLE>",
            "0 lines with numbers; no spectrum");
    refused("<FIELD name=\"time\" datatype=\"double\"/>",
            "<DATA><TABLEDATA/></DATA></TABLE></RESOURCE></VOTABLE>",
            "none of its columns is known as flux: time");
    refused("<FIELD name=\"flux\" datatype=\"float\" arraysize=\"9999999\"/>",
            "<DATA><BINARY2/></DATA>", "arraysize '9999999'");
    refused("<FIELD name=\"flux\" datatype=\"floating\"/>", "", "datatype 'floating'");
    refused("", "</TABLE></RESOURCE></VOTABLE>", "no table with data in the VOTable");
    refused(fields,
            "<DATA><TABLEDATA><TR><TD>846</TD><TD>1</TD><TD>1</TD></TR><TR><TD>847</TD><TD>1</TD>"
            "<TD>1</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>",
            "2 pixels from 8460 to 8470 Angstrom; an RVS mean spectrum has 2401 from 8460 to 8700");
    /* a count of values that no file holds */
    refused("<FIELD name=\"flux\" datatype=\"float\" arraysize=\"*\"/>",
            "<DATA><BINARY><STREAM encoding=\"base64\">f////w==</STREAM>", "a cell of more than");
}

static void test_bad_text(void)
{
    static const char *const bad[][2] = {
        {"source_id,flux,flux_error\n1,\"[0.9, 1\",\"[0.1, 0.1]\"\n",
         "without its closing bracket"},
        {"source_id,flux,flux_error\n1,\"[0.9, x]\",\"[0.1, 0.1]\"\n", "expected a number: 'x'"},
        {"source_id,flux,flux_error\n1,\"[0.9, 1]\",0.1\n", "expected an array in brackets: '0.1'"},
        {"source_id,flux,flux_error\n1,\"[0.9, 1]\",\"[0.1]\"\n", "arrays of 2 and of 1 values"},
        {"source_id,flux,flux_error\n1,\"[0.9, 1]\",\"[0.1, 0.1]\"\n", "2 pixels from 8460"},
        {"wavelength,flux\n846,1\n847,1\n", "2 pixels from 8460 to 8470"}};
    WORKS(open_instrument(plain));
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        write_bytes(in_scratch("bad.csv"), bad[k][0], strlen(bad[k][0]));
        FAILS(read_row(in_scratch("bad.csv"), 0), ANPE_EFORMAT, bad[k][1]);
    }
}

/* The same star twice is not a spectrum of overlapping orders with smaller errors. */
static void test_twice(void)
{
    static char text[2 * 2401 * 40];
    size_t n = (size_t)snprintf(text, sizeof text, "source_id,wavelength,flux,flux_error\n");
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 2401; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "7,%.2f,1,0.1\n", 846 + 0.01 * i);
    write_bytes(in_scratch("twice.csv"), text, n);
    FAILS(read_row(in_scratch("twice.csv"), 0), ANPE_EFORMAT, "in the file more than once?");
}

/* Without a library: ends that are missing, error bars of few transits. */
static void test_noise(void)
{
    double largest = 0, smallest = INFINITY;
    WORKS(open_noise("instrument: { plugin = \"gaia_rvs\"; }; noise: { plugin = \"gaia_rvs\"; };"));
    const anpe_noise_ops *n = noise.ops;
    for (uint32_t k = 0; k < 40; k++) {
        anpe_rng rng = {.key = {k, 6}};
        double sum = 0, squares = 0;
        WORKS(n->draw(noise.self, ctx, &rng, &spectrum));
        CU_ASSERT(all_finite());
        CU_ASSERT(n_good() > info.n_pixels * 8 / 10);
        for (int64_t i = 1; i < info.n_pixels; i++) {
            const double d = (double)(spectrum.sigma[i] / spectrum.sigma[i - 1]) - 1;
            sum += d;
            squares += d * d;
        }
        const double rough = sqrt(squares / (double)info.n_pixels);
        largest = fmax(largest, rough);
        smallest = fmin(smallest, rough);
    }
    /* sigma of v - 1 degrees of freedom differs from its neighbour by 1 / sqrt(v - 1): v is 20 to
     * 400, log-uniform, and of 40 draws one is below 40 but once in 10^4, one above 200 likewise */
    CU_ASSERT(largest > 0.15 && largest < 0.3);
    CU_ASSERT(smallest > 0.045 && smallest < 0.08);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"stars of one file", test_stars},
                                 {"VOTables that are none", test_refuses},
                                 {"text that is none", test_bad_text},
                                 {"a star twice", test_twice},
                                 {"noise", test_noise},
                                 {"recognise", test_recognise}};
    const int code = run_suite(argc, argv, "instrument gaia_rvs", COUNT(tests), tests);
    close_all();
    return code;
}
