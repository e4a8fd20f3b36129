/* file/catalogue_append.c -- rows that are added to a catalogue in text: whole lines in one write,
 * on the disk before the call returns. */
#include <config.h>
#include "file/catalogue_private.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static anpe_status failed(anpe_ctx *ctx, const char *path, const char *what)
{
    char reason[128];
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot %s: %s", path, what,
                     anpe_errno_text(errno, reason, sizeof reason));
}

static int is_text(const char *path)
{
    return anpe_text_has_extension(path, ".csv") || anpe_text_has_extension(path, ".ecsv");
}

anpe_status anpe_catalogue_check_append(anpe_ctx *ctx, const char *path)
{
    if (!is_text(path))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: rows are added to text: choose a name in .csv or .ecsv", path);
    return anpe_output_check(ctx, path);
}

/* The length up to the last line's end, by steps from the file's end. */
static off_t whole_lines(int fd, off_t size)
{
    char block[4096];
    while (size > 0) {
        const off_t from = size > (off_t)sizeof block ? size - (off_t)sizeof block : 0;
        const ssize_t n = pread(fd, block, (size_t)(size - from), from);
        if (n != (ssize_t)(size - from))
            return -1;
        for (ssize_t k = n; k > 0; k--)
            if (block[k - 1] == '\n')
                return from + k;
        size = from;
    }
    return 0;
}

/* Begins as a catalogue in text that anpe has written: "# %ECSV" or "# KEYWORD = ". */
static int is_ours(int fd)
{
    char start[32] = "";
    if (pread(fd, start, sizeof start - 1, 0) < 0 || strncmp(start, "# ", 2))
        return 0;
    const size_t word = strspn(start + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return !strncmp(start, "# %ECSV", 7) || (word && !strncmp(start + 2 + word, " = ", 3));
}

anpe_status anpe_catalogue_mend(anpe_ctx *ctx, const char *path)
{
    struct stat st;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ANPE_OK : failed(ctx, path, "open");
    if (!is_ours(fd)) { /* its reader will say what it is */
        close(fd);
        return ANPE_OK;
    }
    anpe_status status = ANPE_OK;
    const off_t whole = fstat(fd, &st) ? -1 : whole_lines(fd, st.st_size);
    if (whole < 0 || (whole < st.st_size && ftruncate(fd, whole)))
        status = failed(ctx, path, "mend");
    else if (whole < st.st_size)
        anpe_log(ctx, ANPE_WARNING, "%s: its last line was not whole; removed", path);
    close(fd);
    return status;
}

/* A write that did not come to its end is taken back. */
static anpe_status add_lines(anpe_ctx *ctx, const char *path, const char *lines, size_t n)
{
    struct stat st;
    anpe_status status = ANPE_OK;
    const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return failed(ctx, path, "open");
    if (fstat(fd, &st)) {
        status = failed(ctx, path, "open");
        close(fd);
        return status;
    }
    errno = 0;
    if (write(fd, lines, n) != (ssize_t)n || fsync(fd)) {
        errno = errno ? errno : ENOSPC;
        status = failed(ctx, path, "write");
        if (ftruncate(fd, st.st_size))
            anpe_log(ctx, ANPE_WARNING, "%s: its last line is not whole", path);
    }
    close(fd);
    return status;
}

anpe_status anpe_catalogue_append(anpe_ctx *ctx, anpe_catalogue *c, const char *path)
{
    struct stat st;
    char *text = NULL;
    size_t n = 0;
    const int missing = stat(path, &st);
    if (missing && errno != ENOENT) /* nothing is written over what cannot be seen */
        return failed(ctx, path, "open");
    if (missing || st.st_size == 0)
        return anpe_catalogue_write(ctx, c, path);
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return ANPE_NO_MEMORY(ctx, path);
    anpe_status status = anpe_catalogue_put_rows(ctx, f, c);
    if (fclose(f) && !status)
        status = ANPE_NO_MEMORY(ctx, path);
    const char *rows = status ? NULL : strchr(text, '\n') + 1; /* behind the line of names */
    if (!status)
        status = add_lines(ctx, path, rows, n - (size_t)(rows - text));
    free(text);
    return status;
}
