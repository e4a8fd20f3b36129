/* prepare/journal.h -- blocks of a long piece of work, kept beside its output until that is whole.
 *
 * OUTPUT.part starts with a line that says what it is of; each block follows with its SHA-256. A
 * run that is killed, at any moment, leaves whole blocks and perhaps a part of one: the next run
 * reads the former, cuts the latter off and goes on. */
#ifndef ANPE_CORE_JOURNAL_H
#define ANPE_CORE_JOURNAL_H
#include "base/context.h"

typedef struct anpe_journal anpe_journal;
typedef struct anpe_piece {
    void *data;
    size_t size;
} anpe_piece;

/* Whether OUTPUT.part is there. */
int anpe_journal_exists(const char *output);
/* Opens or makes OUTPUT.part. digest: of all that the output is determined by; ANPE_ECONFIG where a
 * file that is there is of another one. */
ANPE_MUST_CHECK anpe_status anpe_journal_open(anpe_ctx *ctx, const char *output,
                                              const char digest[65], anpe_journal **out);
/* The next block, of the pieces' sizes, into them; *found 0: it is not there, nor any later one. */
ANPE_MUST_CHECK anpe_status anpe_journal_next(anpe_ctx *ctx, anpe_journal *j, int n,
                                              const anpe_piece *piece, int *found);
/* Appends a block, once `next` has found no more. */
ANPE_MUST_CHECK anpe_status anpe_journal_append(anpe_ctx *ctx, anpe_journal *j, int n,
                                                const anpe_piece *piece);
/* The output is whole: removes the file. */
anpe_journal *anpe_journal_finish(anpe_journal *j);
/* Closes it and leaves it there. Takes NULL. */
anpe_journal *anpe_journal_close(anpe_journal *j);
#endif
