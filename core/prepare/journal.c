/* See journal.h. */
#include <config.h>
#include "prepare/journal.h"
#include "base/digest.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { HEX = 64, MOST = 16 }; /* digits of a digest; pieces of a block */

struct anpe_journal {
    char *path;
    FILE *file;
};

static const char title[] = "anpe blocks 1 of ";

static anpe_status failed(anpe_ctx *ctx, const anpe_journal *j, const char *what)
{
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot be %s: %s", j->path, what, strerror(errno));
}

/* One at a time: two runs would write into each other's blocks. */
static anpe_status open_file(anpe_ctx *ctx, anpe_journal *j)
{
    const int fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return failed(ctx, j, "opened");
    j->file = fdopen(fd, "r+");
    if (!j->file) {
        close(fd);
        return failed(ctx, j, "opened");
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: another run is writing it", j->path);
    return ANPE_OK;
}

/* Reads the first line, or writes it where the file is empty or ends within it. */
static anpe_status check_title(anpe_ctx *ctx, anpe_journal *j, const char digest[65])
{
    char want[sizeof title + HEX + 1], have[sizeof want] = "";
    snprintf(want, sizeof want, "%s%s\n", title, digest);
    const size_t n = fread(have, 1, sizeof want - 1, j->file);
    if (n == sizeof want - 1 && strcmp(have, want) == 0)
        return ANPE_OK;
    if (memcmp(have, want, n < sizeof title - 1 ? n : sizeof title - 1) != 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: is in the way: it was not made by `anpe simulate --resume`", j->path);
    if (n == sizeof want - 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: was begun with another configuration, command line or input file; "
                         "--resume needs the same ones, or this file removed",
                         j->path);
    rewind(j->file);
    if (ftruncate(fileno(j->file), 0) != 0 || fputs(want, j->file) < 0 || fflush(j->file) != 0)
        return failed(ctx, j, "written");
    return ANPE_OK;
}

int anpe_journal_exists(const char *output)
{
    anpe_text path = {0};
    anpe_text_add(&path, "%s.part", output);
    const int there = path.text && access(path.text, F_OK) == 0;
    anpe_text_free(&path);
    return there;
}

anpe_status anpe_journal_open(anpe_ctx *ctx, const char *output, const char digest[65],
                              anpe_journal **out)
{
    anpe_text path = {0};
    anpe_status status;
    anpe_journal *j;
    *out = NULL;
    if (ANPE_NEW(ctx, j, 1))
        return ANPE_ENOMEM;
    anpe_text_add(&path, "%s.part", output);
    j->path = path.text;
    ANPE_TRY(anpe_text_status(ctx, &path));
    ANPE_TRY(open_file(ctx, j));
    ANPE_TRY(check_title(ctx, j, digest));
out:
    *out = status ? anpe_journal_close(j) : j;
    return status;
}

static void digest_of(int n, const anpe_piece *piece, char hex[65])
{
    char all[MOST * HEX + 1] = "";
    for (int i = 0; i < n; i++) {
        char one[65];
        anpe_digest_memory(piece[i].data, piece[i].size, one);
        strcat(all, one);
    }
    anpe_digest_memory(all, strlen(all), hex);
}

anpe_status anpe_journal_next(anpe_ctx *ctx, anpe_journal *j, int n, const anpe_piece *piece,
                              int *found)
{
    char stored[HEX], hex[65];
    const off_t start = ftello(j->file);
    int whole = fread(stored, 1, HEX, j->file) == HEX;
    for (int i = 0; i < n && whole; i++)
        whole = fread(piece[i].data, 1, piece[i].size, j->file) == piece[i].size;
    if (whole)
        digest_of(n, piece, hex);
    *found = whole && memcmp(stored, hex, HEX) == 0;
    if (*found)
        return ANPE_OK;
    if (start < 0 || fseeko(j->file, start, SEEK_SET) != 0 ||
        ftruncate(fileno(j->file), start) != 0)
        return failed(ctx, j, "cut");
    return ANPE_OK;
}

anpe_status anpe_journal_append(anpe_ctx *ctx, anpe_journal *j, int n, const anpe_piece *piece)
{
    char hex[65];
    digest_of(n, piece, hex);
    int whole = fwrite(hex, 1, HEX, j->file) == HEX;
    for (int i = 0; i < n && whole; i++)
        whole = fwrite(piece[i].data, 1, piece[i].size, j->file) == piece[i].size;
    return whole && fflush(j->file) == 0 ? ANPE_OK : failed(ctx, j, "written");
}

anpe_journal *anpe_journal_finish(anpe_journal *j)
{
    unlink(j->path);
    return anpe_journal_close(j);
}

anpe_journal *anpe_journal_close(anpe_journal *j)
{
    if (!j)
        return NULL;
    if (j->file)
        fclose(j->file);
    free(j->path);
    free(j);
    return NULL;
}
