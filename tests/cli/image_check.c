/* image_check FILE.png: prints "WIDTH HEIGHT COLOURS INK", where INK is the part of the pixels that
 * is not white, in percent. Reads 8-bit RGB and RGBA without interlace (PNG specification, second
 * edition); anything else, or a damaged file, is an error with exit status 1. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_BYTES = 1 << 26 };

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int fail(const char *why)
{
    fprintf(stderr, "image_check: %s\n", why);
    return 1;
}

/* Joins the IDAT chunks in place; returns their length, 0 if the file does not end as it should. */
static size_t join_data(unsigned char *file, size_t n, unsigned char **data)
{
    size_t at = 8, length = 0;
    *data = file;
    while (at + 12 <= n) {
        const size_t size = big_endian(file + at);
        if (size > n - at - 12 ||
            crc32(0, file + at + 4, (uInt)(size + 4)) != big_endian(file + at + 8 + size))
            return 0;
        if (!memcmp(file + at + 4, "IEND", 4))
            return at + 12 + size == n ? length : 0;
        if (!memcmp(file + at + 4, "IDAT", 4)) {
            memmove(file + length, file + at + 8, size);
            length += size;
        }
        at += 12 + size;
    }
    return 0;
}

static int paeth(int a, int b, int c)
{
    const int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/* Undoes the filter of every row in place: a filter byte, then width * pixel bytes. */
static void unfilter(unsigned char *raw, size_t height, size_t row, size_t pixel)
{
    for (size_t y = 0; y < height; y++) {
        unsigned char *now = raw + y * (row + 1) + 1, *above = now - (row + 1);
        for (size_t x = 0; x < row; x++) {
            const int a = x >= pixel ? now[x - pixel] : 0, b = y ? above[x] : 0;
            const int c = x >= pixel && y ? above[x - pixel] : 0;
            const int filter = raw[y * (row + 1)];
            const int add = filter == 1   ? a
                            : filter == 2 ? b
                            : filter == 3 ? (a + b) / 2
                            : filter == 4 ? paeth(a, b, c)
                                          : 0;
            now[x] = (unsigned char)(now[x] + add);
        }
    }
}

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(const unsigned char *raw, size_t width, size_t height, size_t pixel)
{
    uint32_t *colour = malloc(width * height * sizeof *colour);
    size_t ink = 0, colours = 0;
    if (!colour)
        exit(fail("out of memory"));
    for (size_t i = 0; i < width * height; i++) {
        const unsigned char *p = raw + i / width * (width * pixel + 1) + 1 + i % width * pixel;
        colour[i] = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        ink += colour[i] != 0xffffff;
    }
    qsort(colour, width * height, sizeof *colour, by_value);
    for (size_t i = 0; i < width * height; i++)
        colours += i == 0 || colour[i] != colour[i - 1];
    printf("%zu %zu %zu %.2f\n", width, height, colours,
           100.0 * (double)ink / (double)(width * height));
    free(colour);
}

int main(int argc, char **argv)
{
    static const unsigned char magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    unsigned char *file = malloc(MAX_BYTES), *data;
    const size_t n = f && file ? fread(file, 1, MAX_BYTES, f) : 0;
    if (n < 33 || memcmp(file, magic, 8) || memcmp(file + 12, "IHDR", 4))
        return fail("not a PNG");
    const size_t width = big_endian(file + 16), height = big_endian(file + 20);
    const size_t pixel = file[25] == 6 ? 4 : 3;
    if (file[24] != 8 || (file[25] != 2 && file[25] != 6) || file[28] || !width || !height ||
        width * height > MAX_BYTES)
        return fail("not 8-bit RGB");
    const size_t length = join_data(file, n, &data);
    uLongf size = (uLongf)(height * (width * pixel + 1));
    const uLongf want = size;
    unsigned char *raw = malloc(size);
    if (!length || !raw || uncompress(raw, &size, data, (uLong)length) != Z_OK || size != want)
        return fail("damaged");
    unfilter(raw, height, width * pixel, pixel);
    report(raw, width, height, pixel);
    free(raw);
    free(file);
    fclose(f);
    return 0;
}
