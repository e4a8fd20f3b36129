/* file/journal.h -- blocks of a long piece of work, kept beside its output until that is whole.
 *
 * OUTPUT.part starts with a line that says what it is of; each block follows with its sizes and its
 * SHA-256, and is on the disk when the call that appends it returns. A run that is killed, at any
 * moment, leaves whole blocks and perhaps a part of one: the next run reads the former, cuts the
 * latter off and goes on. Numbers are as this machine has them: a journal is for the program that
 * wrote it. */
#ifndef ANPE_CORE_JOURNAL_H
#define ANPE_CORE_JOURNAL_H
#include "base/context.h"
#include "base/piece.h"

typedef struct anpe_journal anpe_journal;
enum { ANPE_JOURNAL_PIECES = 64 }; /* of a block, at most */

/* Whether OUTPUT.part is there. */
int anpe_journal_exists(const char *output);
/* The same, for a run that does not take it: a warning that tells of --resume. */
void anpe_journal_warn(anpe_ctx *ctx, const char *output);
/* Opens or makes OUTPUT.part. digest: of all that the output is determined by; ANPE_ECONFIG where a
 * file that is there is of another one, ANPE_EFORMAT where it is no journal, ANPE_EIO where it
 * cannot be written or another run is writing it. */
ANPE_MUST_CHECK anpe_status anpe_journal_open(anpe_ctx *ctx, const char *output,
                                              const char digest[65], anpe_journal **out);
/* One that is complete, under its own name, to be read. */
ANPE_MUST_CHECK anpe_status anpe_journal_read(anpe_ctx *ctx, const char *path, anpe_journal **out);
const char *anpe_journal_digest(const anpe_journal *j);
/* The next block: n pieces, the journal's until the next call. n 0: there is none, nor any later
 * one. Memory is one block's. */
ANPE_MUST_CHECK anpe_status anpe_journal_next(anpe_ctx *ctx, anpe_journal *j, int *n,
                                              const anpe_piece **piece);
/* Appends a block, once `next` has found no more; then it is on the disk. */
ANPE_MUST_CHECK anpe_status anpe_journal_append(anpe_ctx *ctx, anpe_journal *j, int n,
                                                const anpe_piece *piece);
/* The output is whole: removes the file. */
anpe_journal *anpe_journal_finish(anpe_journal *j);
/* The journal is what was wanted: it is OUTPUT from now on, whatever stood there. Closes it. */
ANPE_MUST_CHECK anpe_status anpe_journal_publish(anpe_ctx *ctx, anpe_journal *j);
/* Closes it and leaves it there. Takes NULL. */
anpe_journal *anpe_journal_close(anpe_journal *j);
#endif
