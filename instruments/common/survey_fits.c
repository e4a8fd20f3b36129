/* Reading images and keywords of survey files with CFITSIO. */
#define _POSIX_C_SOURCE 200809L
#include "survey_fits.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* CFITSIO's own words for a status; its stack of messages is emptied. */
static anpe_status fits_failure(anpe_ctx *ctx, int status, const char *path, const char *what)
{
    char text[FLEN_STATUS] = "";
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    if (status == MEMORY_ALLOCATION)
        return ANPE_NO_MEMORY(ctx, path);
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: cannot read %s: %s (is the file truncated?)", path,
                     what, text);
}

/* CFITSIO says "could not open" for everything; the first bytes tell the cases apart. */
static anpe_status check_start(anpe_ctx *ctx, const char *path)
{
    char text[128] = "";
    unsigned char start[10] = {0};
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(start, 1, sizeof start, file) : 0;
    const int error = errno, failed = !file || ferror(file);

    if (file)
        fclose(file);
    if (failed) {
        if (strerror_r(error, text, sizeof text))
            snprintf(text, sizeof text, "error %d", error);
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path, text);
    }
    if (n == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the file is empty", path);
    if ((n < 9 || memcmp(start, "SIMPLE  =", 9)) && (start[0] != 0x1f || start[1] != 0x8b))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a FITS file (nor a gzipped one)", path);
    return ANPE_OK;
}

/* A larger file is read from the disk, of which CFITSIO takes what it needs. */
enum { MOST_IN_MEMORY = 256 << 20 };

int survey_fits_is_fits(const anpe_file *file)
{
    return file->size >= 9 && !memcmp(file->bytes, "SIMPLE  =", 9);
}

static anpe_status check_held(anpe_ctx *ctx, const char *path, const anpe_file *file)
{
    if (file->size == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the file is empty", path);
    return survey_fits_is_fits(file)
               ? ANPE_OK
               : ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a FITS file (nor a gzipped one)", path);
}

/* CFITSIO 4.2 reads beyond the end of a file in memory that is shorter than its headers say, or
 * whose arrays in a heap are said to be elsewhere, where it would end with an error on a disk. */
static int is_whole(fitsfile *f, size_t size)
{
    enum { BLOCK = 2880 };
    int status = 0, columns = 0, type, code;
    LONGLONG head, data, end, repeat, width;
    if (size % BLOCK)
        return 0;
    for (int hdu = 1; fits_movabs_hdu(f, hdu, &type, &status) == 0; hdu++) {
        fits_get_hduaddrll(f, &head, &data, &end, &status);
        if (status || end > (LONGLONG)size)
            return 0;
        if (type == BINARY_TBL)
            fits_get_num_cols(f, &columns, &status);
        for (int c = 1; type == BINARY_TBL && c <= columns; c++)
            if (fits_get_coltypell(f, c, &code, &repeat, &width, &status) || code < 0)
                return 0;
    }
    status = 0;
    fits_clear_errmsg();
    return fits_movabs_hdu(f, 1, &type, &status) == 0;
}

/* 0: not in memory, or not safely. */
static int open_held(anpe_file *file, fitsfile **out)
{
    int status = 0;
    if (!file || !file->whole ||
        fits_open_memfile(out, "memory", READONLY, (void **)&file->bytes, &file->size, 0, NULL,
                          &status))
        return 0;
    if (is_whole(*out, file->size))
        return 1;
    fits_close_file(*out, &status);
    *out = NULL;
    return 0;
}

/* CFITSIO takes a gzipped file for one of compress(1) where ".Z" stands anywhere in its path, and
 * fails: then it opens it by the name of a descriptor. */
static int open_disk(const char *path, fitsfile **out)
{
    int status = 0;
    char name[32];
    const int fd = strstr(path, ".Z") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    fits_open_diskfile(out, fd < 0 ? path : name, READONLY, &status);
    if (fd >= 0)
        close(fd);
    return status;
}

anpe_status survey_fits_open(anpe_ctx *ctx, const char *path, fitsfile **out)
{
    char text[FLEN_STATUS] = "";
    int status = 0;
    anpe_file *file;
    anpe_status result = anpe_file_bytes(ctx, path, MOST_IN_MEMORY, &file);

    *out = NULL;
    if (!result)
        result = file ? check_held(ctx, path, file) : check_start(ctx, path);
    if (result)
        return result;
    if (open_held(file, out))
        return ANPE_OK;
    fits_clear_errmsg();
    if (!(status = open_disk(path, out)))
        return ANPE_OK;
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    *out = NULL;
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a readable FITS file: %s", path, text);
}

void survey_fits_close(fitsfile *f)
{
    int status = 0;
    if (f)
        fits_close_file(f, &status);
    fits_clear_errmsg();
}

int survey_fits_has(fitsfile *f, int hdu)
{
    int status = 0, type = 0;
    const int has = fits_movabs_hdu(f, hdu + 1, &type, &status) == 0;
    fits_clear_errmsg();
    return has;
}

/* Rows that the header declares must be in the file before memory is taken for them. A compressed
 * image may be a thousand times what is stored. */
static anpe_status check_bytes(anpe_ctx *ctx, fitsfile *f, const char *path, const char *what,
                               LONGLONG rows, LONGLONG row_bytes)
{
    LONGLONG header = 0, start = 0, end = 0;
    int status = 0;

    fits_get_hduaddrll(f, &header, &start, &end, &status);
    if (status)
        return fits_failure(ctx, status, path, what);
    const LONGLONG held = f->Fptr->filesize > start ? f->Fptr->filesize - start : 0;
    const LONGLONG most = fits_is_compressed_image(f, &status) ? 1000 * held : held;
    if (row_bytes < 1 || rows <= most / row_bytes)
        return ANPE_OK;
    return ANPE_FAIL(
        ctx, ANPE_EFORMAT,
        "%s: cannot read %s: %lld rows of %lld bytes are declared, the file holds %lld "
        "bytes of them (is the file truncated?)",
        path, what, (long long)rows, (long long)row_bytes, (long long)held);
}

/* NAXIS1 as bytes, and the product of the other axes; -1: beyond any file. */
static LONGLONG declared_rows(fitsfile *f, LONGLONG *row_bytes)
{
    enum { MOST_AXES = 9 };
    int status = 0, type = 0, bitpix = 8, naxis = 0;
    LONGLONG axes[MOST_AXES] = {0}, rows = 1;
    fits_get_hdu_type(f, &type, &status);
    if (type == IMAGE_HDU) {
        fits_get_img_paramll(f, MOST_AXES, &bitpix, &naxis, axes, &status);
    } else {
        naxis = 2;
        fits_read_key(f, TLONGLONG, "NAXIS1", &axes[0], NULL, &status);
        fits_get_num_rowsll(f, &axes[1], &status);
    }
    if (status || naxis > MOST_AXES || axes[0] > INT64_MAX / 8)
        return -1;
    *row_bytes = axes[0] * (abs(bitpix) / 8);
    for (int k = 1; k < naxis; k++) {
        if (axes[k] > 0 && rows > INT64_MAX / axes[k])
            return -1;
        rows *= axes[k];
    }
    return rows;
}

anpe_status survey_fits_stored(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                               const char *what)
{
    LONGLONG row_bytes = 1;
    if (!survey_fits_has(f, hdu))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no HDU %d, which should hold the %s", path, hdu,
                         what);
    const LONGLONG rows = declared_rows(f, &row_bytes);
    fits_clear_errmsg();
    return check_bytes(ctx, f, path, what, rows < 0 ? INT64_MAX : rows, row_bytes);
}

anpe_status survey_fits_image(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                              const char *what, survey_image *out)
{
    int status = 0, type = 0, bitpix = 0, naxis = 0;
    LONGLONG axes[2] = {0, 0};

    if (!survey_fits_has(f, hdu))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: no HDU %d, which should hold the %s (missing or truncated)", path,
                         hdu, what);
    fits_get_hdu_type(f, &type, &status);
    if (!status && type != IMAGE_HDU)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d is a table; expected an image: the %s",
                         path, hdu, what);
    fits_get_img_paramll(f, 2, &bitpix, &naxis, axes, &status);
    if (status)
        return fits_failure(ctx, status, path, what);
    if (naxis < 1 || naxis > 2 || axes[0] < 1 || (naxis == 2 && axes[1] < 1))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: HDU %d has %d axes; expected one or more rows of pixels: the %s",
                         path, hdu, naxis, what);
    if (axes[0] > INT64_MAX / 8)
        axes[0] = INT64_MAX / 8;
    const anpe_status result =
        check_bytes(ctx, f, path, what, naxis == 2 ? axes[1] : 1, axes[0] * (abs(bitpix) / 8));
    if (result)
        return result;
    out->width = axes[0];
    out->rows = naxis == 2 ? axes[1] : 1;
    out->integers = bitpix > 0;
    return ANPE_OK;
}

anpe_status survey_fits_row(anpe_ctx *ctx, fitsfile *f, const char *path, const char *what,
                            const survey_image *image, int64_t row, double *data)
{
    int status = 0, any = 0;
    double null = NAN; /* the value of BLANK pixels, which CFITSIO scales like others if not told */
    fits_read_img(f, TDOUBLE, row * image->width + 1, image->width, &null, data, &any, &status);
    return status ? fits_failure(ctx, status, path, what) : ANPE_OK;
}

int survey_fits_is_table(fitsfile *f, int hdu)
{
    int status = 0, type = IMAGE_HDU;
    if (survey_fits_has(f, hdu))
        fits_get_hdu_type(f, &type, &status);
    return status == 0 && type != IMAGE_HDU;
}

int survey_fits_is_image(fitsfile *f, int hdu)
{
    int status = 0, type = 0, n = 0;
    if (!survey_fits_has(f, hdu))
        return 0;
    fits_get_hdu_type(f, &type, &status);
    if (!status && type == IMAGE_HDU)
        fits_get_img_dim(f, &n, &status);
    return status == 0 && n > 0;
}

/* Moves to the HDU; the column's number, or 0. */
static int find_column(fitsfile *f, int hdu, const char *name)
{
    int status = 0, column = 0;
    char pattern[FLEN_VALUE];

    if (!survey_fits_is_table(f, hdu))
        return 0;
    snprintf(pattern, sizeof pattern, "%s", name); /* CFITSIO takes no const text */
    fits_get_colnum(f, CASEINSEN, pattern, &column, &status);
    fits_clear_errmsg();
    return status == 0 || status == COL_NOT_UNIQUE ? column : 0;
}

int survey_fits_has_column(fitsfile *f, int hdu, const char *name)
{
    return find_column(f, hdu, name) > 0;
}

/* Says which columns there are instead. */
static anpe_status refuse_column(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                                 const char *name)
{
    int n = 0, status = 0;
    char names[200] = "", key[FLEN_KEYWORD], one[FLEN_VALUE];

    fits_get_num_cols(f, &n, &status);
    for (int k = 1; k <= n; k++) {
        const size_t used = strlen(names);
        snprintf(key, sizeof key, "TTYPE%d", k);
        if (survey_fits_text(f, hdu, key, one))
            snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", one);
    }
    fits_clear_errmsg();
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the table in HDU %d has no column %s; it has %s", path,
                     hdu, name, names[0] ? names : "none");
}

/* CFITSIO makes no numbers of logical values: each is a byte, 1, 0 or, for null, the given one. */
static int logical_cells(fitsfile *f, int column, LONGLONG row, int64_t n, double *data)
{
    enum { NULL_VALUE = 2 };
    int status = 0, any = 0;
    char null = NULL_VALUE, *bytes = (char *)data;
    fits_read_col(f, TLOGICAL, column, row, 1, n, &null, bytes, &any, &status);
    for (int64_t i = n; i-- > 0 && !status;) { /* a double never reaches bytes still to be read */
        const char value = bytes[i];
        data[i] = value == NULL_VALUE ? NAN : value != 0;
    }
    return status;
}

int survey_fits_cells(fitsfile *f, int column, LONGLONG row, int64_t n, double *data)
{
    int status = 0, type = 0, any = 0;
    LONGLONG repeat = 0, width = 0;
    double null = NAN; /* of TNULL cells */
    fits_get_coltypell(f, column, &type, &repeat, &width, &status);
    if (!status && type == TLOGICAL)
        return logical_cells(f, column, row, n, data);
    fits_read_col(f, TDOUBLE, column, row, 1, n, &null, data, &any, &status);
    return status;
}

anpe_status survey_fits_column(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                               const char *name, int64_t *n, double *data)
{
    int status = 0, column = 0, type = 0;
    LONGLONG repeat = 0, width = 0, rows = 0, row_bytes = 0;

    if (!survey_fits_is_table(f, hdu))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no table in HDU %d, which should hold the %s",
                         path, hdu, name);
    if (!(column = find_column(f, hdu, name)))
        return refuse_column(ctx, f, path, hdu, name);
    fits_get_coltypell(f, column, &type, &repeat, &width, &status);
    fits_get_num_rowsll(f, &rows, &status);
    fits_read_key(f, TLONGLONG, "NAXIS1", &row_bytes, NULL, &status);
    if (status)
        return fits_failure(ctx, status, path, name);
    if (repeat < 1 || rows < 1 || rows > INT64_MAX / repeat || (data && rows * repeat != *n))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: column %s has %lld rows of %lld values, unlike the others or none",
                         path, name, (long long)rows, (long long)repeat);
    const anpe_status result = check_bytes(ctx, f, path, name, rows, row_bytes);
    if (result)
        return result;
    *n = rows * repeat;
    if (data)
        status = survey_fits_cells(f, column, 1, *n, data);
    return status ? fits_failure(ctx, status, path, name) : ANPE_OK;
}

int survey_fits_text(fitsfile *f, int hdu, const char *key, char value[FLEN_VALUE])
{
    int status = 0;
    if (!survey_fits_has(f, hdu))
        return 0;
    fits_read_key(f, TSTRING, key, value, NULL, &status);
    fits_clear_errmsg();
    return status == 0 && value[0] != '\0';
}

int survey_fits_real(fitsfile *f, int hdu, const char *key, double *value)
{
    int status = 0;
    if (!survey_fits_has(f, hdu))
        return 0;
    fits_read_key(f, TDOUBLE, key, value, NULL, &status);
    fits_clear_errmsg();
    return status == 0;
}

int survey_fits_denies(fitsfile *f, int hdu, const char *key)
{
    char text[FLEN_VALUE];
    return survey_fits_text(f, hdu, key, text) && strchr("Ff0", text[0]) != NULL;
}

uint64_t survey_bits(double mask)
{
    if (!(fabs(mask) < 0x1p62) || mask != floor(mask))
        return UINT64_MAX;
    return (uint64_t)(int64_t)mask;
}

int survey_is_flagged(double mask, uint64_t bits)
{
    const uint64_t set = survey_bits(mask);
    return set == UINT64_MAX || (set & bits) != 0;
}

uint8_t survey_is_bad(double mask, int marks_good)
{
    if (marks_good && !isnan(mask))
        return mask == 0;
    return (uint8_t)survey_is_flagged(mask, UINT64_MAX);
}

/* Beyond these a float of the pixel, or of 1/sigma^2, is not finite. */
#define LARGEST  1e15
#define SMALLEST 1e-15

void survey_put_pixel(anpe_spectrum *s, int64_t i, double flux, double sigma, int bad)
{
    if (!isfinite(flux) || fabs(flux) > LARGEST) {
        flux = 0;
        bad = 1;
    }
    if (!isfinite(sigma) || sigma < SMALLEST || sigma > LARGEST) {
        sigma = 1;
        bad = 1;
    }
    s->flux[i] = (float)flux;
    s->sigma[i] = (float)sigma;
    s->mask[i] = (uint8_t)(bad != 0);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double survey_median(int64_t n, double *v)
{
    if (n < 1)
        return 0;
    qsort(v, (size_t)n, sizeof v[0], ascending);
    return n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}
