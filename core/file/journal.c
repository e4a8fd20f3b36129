/* See journal.h. A block: SHA-256 of what follows as 64 digits; number of pieces; size of each;
 * the pieces. */
#include <config.h>
#include "file/journal.h"
#include "base/digest.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX = 64, MOST = ANPE_JOURNAL_PIECES };

static const char title[] = "anpe blocks 2 of ";
enum { TITLE = sizeof title - 1, LINE = TITLE + HEX + 1 };

struct anpe_journal {
    char *output, *path; /* path: what is open */
    FILE *file;
    char digest[HEX + 1];
    off_t end;    /* of the file when it was opened: no block reaches beyond */
    char *block;  /* the last one that was read */
    size_t room;  /* its bytes */
    int writable; /* what is no block is cut off */
    anpe_piece piece[MOST];
};

static anpe_status failed(anpe_ctx *ctx, const anpe_journal *j, const char *what)
{
    char reason[128];
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot be %s: %s", j->path, what,
                     anpe_errno_text(errno, reason, sizeof reason));
}

/* ---- opening ----------------------------------------------------------------------------- */

static anpe_status open_file(anpe_ctx *ctx, anpe_journal *j, int flags)
{
    struct stat st;
    const int fd = open(j->path, flags | O_CLOEXEC, 0666);
    if (fd < 0)
        return failed(ctx, j, "opened");
    j->file = fdopen(fd, j->writable ? "r+" : "r");
    if (!j->file) {
        close(fd);
        return failed(ctx, j, "opened");
    }
    /* One at a time: two runs would write into each other's blocks. */
    if (j->writable && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: another run is writing it", j->path);
    if (fstat(fd, &st) != 0)
        return failed(ctx, j, "opened");
    j->end = st.st_size;
    return ANPE_OK;
}

/* Reads the first line, or writes it where the file is empty or ends within it. */
static anpe_status check_title(anpe_ctx *ctx, anpe_journal *j, const char digest[65])
{
    char want[LINE + 1], have[LINE + 1] = "";
    snprintf(want, sizeof want, "%s%s\n", title, digest);
    const size_t n = fread(have, 1, LINE, j->file);
    memcpy(j->digest, digest, HEX + 1);
    if (n == LINE && strcmp(have, want) == 0)
        return ANPE_OK;
    if (memcmp(have, want, n < TITLE ? n : TITLE) != 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: is in the way: it was not made by this version's --resume", j->path);
    if (n == LINE)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: was begun with another configuration, command line or input file; "
                         "--resume needs the same ones, or this file removed",
                         j->path);
    rewind(j->file);
    if (ftruncate(fileno(j->file), 0) != 0 || fputs(want, j->file) < 0 || fflush(j->file) != 0)
        return failed(ctx, j, "written");
    return ANPE_OK;
}

static anpe_status take_title(anpe_ctx *ctx, anpe_journal *j)
{
    char have[LINE + 1] = "";
    const size_t n = fread(have, 1, LINE, j->file);
    if (n != LINE || memcmp(have, title, TITLE) != 0 || have[LINE - 1] != '\n')
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: is no part of a run of this version of anpe, made with --part K/N",
                         j->path);
    memcpy(j->digest, have + TITLE, HEX);
    return ANPE_OK;
}

/* OUTPUT.part */
static char *beside(const char *output)
{
    anpe_text path = {0};
    anpe_text_add(&path, "%s.part", output);
    return path.text;
}

int anpe_journal_exists(const char *output)
{
    char *path = beside(output);
    const int there = path && access(path, F_OK) == 0;
    free(path);
    return there;
}

void anpe_journal_warn(anpe_ctx *ctx, const char *output)
{
    if (anpe_journal_exists(output))
        anpe_log(ctx, ANPE_WARNING,
                 "%s.part: a run that did not end has left its blocks there; they are not used "
                 "without --resume",
                 output);
}

anpe_status anpe_journal_open(anpe_ctx *ctx, const char *output, const char digest[65],
                              anpe_journal **out)
{
    anpe_status status;
    anpe_journal *j;
    *out = NULL;
    if (ANPE_NEW(ctx, j, 1))
        return ANPE_ENOMEM;
    j->writable = 1;
    status = ANPE_ENOMEM;
    if (!(j->output = anpe_strdup(ctx, output)))
        goto out;
    if (!(j->path = beside(output))) {
        status = ANPE_NO_MEMORY(ctx, output);
        goto out;
    }
    ANPE_TRY(open_file(ctx, j, O_RDWR | O_CREAT));
    ANPE_TRY(check_title(ctx, j, digest));
out:
    *out = status ? anpe_journal_close(j) : j;
    return status;
}

anpe_status anpe_journal_read(anpe_ctx *ctx, const char *path, anpe_journal **out)
{
    anpe_status status = ANPE_ENOMEM;
    anpe_journal *j;
    *out = NULL;
    if (ANPE_NEW(ctx, j, 1))
        return ANPE_ENOMEM;
    if (!(j->path = anpe_strdup(ctx, path)))
        goto out;
    ANPE_TRY(open_file(ctx, j, O_RDONLY));
    ANPE_TRY(take_title(ctx, j));
out:
    *out = status ? anpe_journal_close(j) : j;
    return status;
}

const char *anpe_journal_digest(const anpe_journal *j)
{
    return j->digest;
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* Of the sizes and of each piece's digest. */
static void digest_of(int n, const uint64_t *head, const anpe_piece *piece, char hex[65])
{
    char all[(MOST + 1) * HEX + 1] = "";
    anpe_digest_memory(head, (size_t)(n + 1) * sizeof *head, all);
    for (int i = 0; i < n; i++)
        anpe_digest_memory(piece[i].data, piece[i].size, all + (i + 1) * HEX);
    anpe_digest_memory(all, (size_t)(n + 1) * HEX, hex);
}

/* Sizes that the rest of the file can hold; *bytes: all of them. */
static int read_head(const anpe_journal *j, uint64_t head[MOST + 1], size_t *bytes)
{
    *bytes = 0;
    if (fread(head, sizeof *head, 1, j->file) != 1 || head[0] < 1 || head[0] > MOST ||
        fread(head + 1, sizeof *head, head[0], j->file) != head[0])
        return 0;
    const off_t at = ftello(j->file);
    uint64_t left = at < 0 || at > j->end ? 0 : (uint64_t)(j->end - at);
    for (uint64_t i = 1; i <= head[0]; i++) {
        if (head[i] > left)
            return 0;
        left -= head[i];
        *bytes += head[i];
    }
    return 1;
}

/* *whole: a block, in j->piece. */
static anpe_status read_block(anpe_ctx *ctx, anpe_journal *j, int *n, int *whole)
{
    char stored[HEX], hex[HEX + 1];
    uint64_t head[MOST + 1];
    size_t bytes, at = 0;
    *whole = fread(stored, 1, HEX, j->file) == HEX && read_head(j, head, &bytes);
    if (!*whole)
        return ANPE_OK;
    if (bytes > j->room) {
        free(j->block);
        j->room = 0;
        if (ANPE_NEW(ctx, j->block, (int64_t)bytes))
            return ANPE_ENOMEM;
        j->room = bytes;
    }
    *n = (int)head[0];
    *whole = fread(j->block, 1, bytes, j->file) == bytes;
    for (int i = 0; i < *n; at += head[++i])
        j->piece[i] = (anpe_piece){j->block + at, head[i + 1]};
    if (*whole)
        digest_of(*n, head, j->piece, hex);
    *whole = *whole && memcmp(stored, hex, HEX) == 0;
    return ANPE_OK;
}

anpe_status anpe_journal_next(anpe_ctx *ctx, anpe_journal *j, int *n, const anpe_piece **piece)
{
    const off_t start = ftello(j->file);
    int whole;
    const anpe_status status = read_block(ctx, j, n, &whole);
    *piece = j->piece;
    if (status || whole)
        return status;
    *n = 0;
    if (ferror(j->file))
        return failed(ctx, j, "read");
    if (start < 0 || fseeko(j->file, start, SEEK_SET) != 0 ||
        (j->writable && ftruncate(fileno(j->file), start) != 0))
        return failed(ctx, j, "cut");
    return ANPE_OK;
}

anpe_status anpe_journal_append(anpe_ctx *ctx, anpe_journal *j, int n, const anpe_piece *piece)
{
    char hex[HEX + 1];
    uint64_t head[MOST + 1] = {(uint64_t)n};
    for (int i = 0; i < n; i++)
        head[i + 1] = piece[i].size;
    digest_of(n, head, piece, hex);
    const size_t sizes = (size_t)n + 1;
    int whole =
        fwrite(hex, 1, HEX, j->file) == HEX && fwrite(head, sizeof *head, sizes, j->file) == sizes;
    for (int i = 0; i < n && whole; i++)
        whole = fwrite(piece[i].data, 1, piece[i].size, j->file) == piece[i].size;
    return whole && fflush(j->file) == 0 && fsync(fileno(j->file)) == 0 ? ANPE_OK
                                                                        : failed(ctx, j, "written");
}

anpe_journal *anpe_journal_finish(anpe_journal *j)
{
    unlink(j->path);
    return anpe_journal_close(j);
}

anpe_status anpe_journal_publish(anpe_ctx *ctx, anpe_journal *j)
{
    char reason[128];
    anpe_status status = ANPE_OK;
    if (rename(j->path, j->output) != 0)
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot be written: %s", j->output,
                           anpe_errno_text(errno, reason, sizeof reason));
    anpe_journal_close(j);
    return status;
}

anpe_journal *anpe_journal_close(anpe_journal *j)
{
    if (!j)
        return NULL;
    if (j->file)
        fclose(j->file);
    free(j->output);
    free(j->path);
    free(j->block);
    free(j);
    return NULL;
}
