/* file/part.h -- runs that take blocks that were made before: those of their own journal, after an
 * interruption, or those of the parts that several runs have made, when these are put together.
 *
 * A part is a journal (file/journal.h) that is complete, OUTPUT.K-of-N: spectra [first, end) of a
 * run's `total`. Its first block says of what run, as texts "key=value"; every other block starts
 * with an anpe_span, and blocks follow each other without a gap. So one reader serves a run that
 * goes on and one that merges, and what both write is written by the code of a run that was never
 * interrupted. */
#ifndef ANPE_CORE_PART_H
#define ANPE_CORE_PART_H
#include "base/text.h"
#include "file/journal.h"

typedef struct anpe_share { /* part K of N, from 1; n 0: all */
    int64_t k, n;
} anpe_share;

/* "K/N" with 1 <= K <= N; 0: it is not that. */
int anpe_share_parse(const char *text, anpe_share *out);
/* Items [first, end) of `count` that are the share's: decided by the numbers alone, in order of K,
 * `first` a multiple of `unit`. ANPE_EINVAL: there are fewer items than shares. */
ANPE_MUST_CHECK anpe_status anpe_share_of(anpe_ctx *ctx, anpe_share s, int64_t count, int64_t unit,
                                          int64_t *first, int64_t *end);
/* "OUTPUT.K-of-N", malloc'ed; NULL: reported. */
char *anpe_part_name(anpe_ctx *ctx, const char *output, anpe_share s);

/* What the first block says: texts "key=value", each with its NUL. */
ANPE_PRINTF(3, 4) void anpe_head_put(anpe_text *head, const char *key, const char *format, ...);
/* The k-th value of that key, from 0; NULL: there is none. */
const char *anpe_head_get(const anpe_text *head, const char *key, int k);
int64_t anpe_head_number(const anpe_text *head, const char *key); /* -1: there is none */

typedef struct anpe_span { /* how a block starts: items [first, first + n) of the run */
    int64_t first, n;
} anpe_span;

typedef struct anpe_replay {
    int n_journals, at; /* in order of their items; the one that is being read */
    anpe_journal **journal;
    char **path;    /* (n_journals) for messages; NULL: the run's own */
    int64_t *end;   /* (n_journals) one past the last item */
    anpe_text head; /* of the first */
    int64_t next;   /* the item that the next block has to start with */
    int n;          /* pieces of the block that is being taken; 0: none yet, or no more */
    const anpe_piece *piece;
    anpe_span span;
    int64_t used; /* items of it that have been taken */
} anpe_replay;

/* Of a run's own journal OUTPUT.part, which is opened or made: head is what it has to start with,
 * and its item `first` is the first. Errors: anpe_journal_open. */
ANPE_MUST_CHECK anpe_status anpe_replay_open(anpe_ctx *ctx, const char *output,
                                             const char digest[65], const anpe_text *head,
                                             int64_t first, anpe_replay *out);
/* Of the parts of a run. ANPE_EINVAL, with a sentence: a file is no part, is of another run, is
 * there twice, is not finished, or one is missing. */
ANPE_MUST_CHECK anpe_status anpe_replay_parts(anpe_ctx *ctx, int n, const char *const *path,
                                              anpe_replay *out);
/* Of the parts' run. */
const char *anpe_replay_digest(const anpe_replay *r);
/* How many items of the block there are to take: from `used` on, of span.n; a new block where all
 * are taken. 0: there are no more. */
ANPE_MUST_CHECK anpe_status anpe_replay_left(anpe_ctx *ctx, anpe_replay *r, int64_t *left);
/* Takes `take` items of piece k, which has `bytes` of each, into memory. ANPE_EFORMAT: the piece is
 * of another size. */
ANPE_MUST_CHECK anpe_status anpe_replay_copy(anpe_ctx *ctx, const anpe_replay *r, int k,
                                             size_t bytes, int64_t take, void *to);
/* Appends a block to the run's own journal, which has no more. */
ANPE_MUST_CHECK anpe_status anpe_replay_append(anpe_ctx *ctx, anpe_replay *r, int n,
                                               const anpe_piece *piece);
/* The output is in place: removes the run's own journal. Clears r. */
void anpe_replay_finish(anpe_replay *r);
/* The run's own journal is the part that was wanted: it takes its name. Clears r. */
ANPE_MUST_CHECK anpe_status anpe_replay_publish(anpe_ctx *ctx, anpe_replay *r);
/* Closes what is open; journals stay. */
void anpe_replay_clear(anpe_replay *r);

/* *finished: the part is there, of this very run; it is then said. ANPE_ECONFIG: what is there is
 * something else. */
ANPE_MUST_CHECK anpe_status anpe_part_finished(anpe_ctx *ctx, const char *path,
                                               const char digest[65], int *finished);
#endif
