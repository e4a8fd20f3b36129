/* One running program that answers requests on its standard input and output (README.md). */
#ifndef ANPE_PIPE_WORKER_H
#define ANPE_PIPE_WORKER_H
#include <anpe/plugin.h>
#include <sys/types.h>

enum { PIPE_TAIL = 1024 };

typedef struct worker {
    pid_t pid;            /* also its process group; 0: none */
    int in, out, err;     /* our ends of its three streams; -1: closed */
    char tail[PIPE_TAIL]; /* the last of what it wrote on standard error, ends with 0 */
    size_t n_tail;
    char *why; /* points into `reason` after a failure */
    char reason[PIPE_TAIL + 256];
} worker;

/* Starts argv (NULL at the end) with environment envp; waits for nothing. 0, or -1 with w->why. */
int worker_start(worker *w, char *const *argv, char *const *envp);
/* Sends n_send bytes and receives n_receive, both at once, within `seconds`. 0; -1 with w->why: the
 * program ended, closed a stream or was too slow, and has to be stopped. */
int worker_exchange(worker *w, const void *send, size_t n_send, void *receive, size_t n_receive,
                    double seconds);
/* Closes its input, gives it a moment to end, and kills what is left of its process group. */
void worker_stop(worker *w);
#endif
