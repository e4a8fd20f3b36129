/* A child process and its three streams. Standard input is a socket, because writing to a program
 * that has ended must be an error here and not a SIGPIPE of the process that uses the library. */
#include <config.h>
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double grace = 2; /* seconds that a program has to end once its input is closed */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int fails(worker *w, const char *what, int error)
{
    snprintf(w->reason, sizeof w->reason, "%s: %s", what, strerror(error));
    w->why = w->reason;
    return -1;
}

/* Out of the way of 0, 1 and 2, which the child's ends are moved to. */
static int lift(int *fd)
{
    if (*fd > 2)
        return 0;
    const int higher = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    if (higher < 0)
        return -1;
    close(*fd);
    *fd = higher;
    return 0;
}

typedef struct ends {
    int ours[3], theirs[3];
} ends;

static int open_ends(ends *e)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return -1;
    e->ours[0] = pair[0];
    e->theirs[0] = pair[1];
    for (int i = 1; i < 3; i++) {
        if (pipe2(pair, O_CLOEXEC))
            return -1;
        e->ours[i] = pair[0];
        e->theirs[i] = pair[1];
    }
    for (int i = 0; i < 3; i++)
        if (lift(&e->ours[i]) || lift(&e->theirs[i]) ||
            fcntl(e->ours[i], F_SETFL, fcntl(e->ours[i], F_GETFL) | O_NONBLOCK) < 0)
            return -1;
    return 0;
}

/* A process group of its own, so that ctrl-C reaches this process alone; no signal blocked, those
 * that `anpe` ignores as they are by default. */
static int spawn(pid_t *pid, const int *theirs, char *const *argv, char *const *envp)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, ignored;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        sigemptyset(&none);
        sigemptyset(&ignored);
        sigaddset(&ignored, SIGPIPE);
        sigaddset(&ignored, SIGXFSZ);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &ignored);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF);
        for (int i = 0; i < 3 && !error; i++)
            error = posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
        if (!error)
            error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, envp);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int worker_start(worker *w, char *const *argv, char *const *envp)
{
    ends e = {{-1, -1, -1}, {-1, -1, -1}};
    *w = (worker){.in = -1, .out = -1, .err = -1};
    int error = open_ends(&e) ? errno : spawn(&w->pid, e.theirs, argv, envp);
    for (int i = 0; i < 3; i++) {
        close_fd(&e.theirs[i]);
        if (error)
            close_fd(&e.ours[i]);
    }
    if (error) {
        w->pid = 0;
        return fails(w, argv[0], error);
    }
    w->in = e.ours[0];
    w->out = e.ours[1];
    w->err = e.ours[2];
    return 0;
}

/* Keeps the end of what the program says on standard error. */
static void hear(worker *w)
{
    char some[512];
    ssize_t n;
    while ((n = read(w->err, some, sizeof some)) > 0) {
        const size_t more = (size_t)n, room = sizeof w->tail - 1;
        const size_t keep = w->n_tail + more > room ? room - more : w->n_tail;
        memmove(w->tail, w->tail + (w->n_tail - keep), keep);
        memcpy(w->tail + keep, some, more);
        w->n_tail = keep + more;
        w->tail[w->n_tail] = 0;
    }
    if (n == 0)
        close_fd(&w->err);
}

/* The last line of the tail, for a message; "" if there is none. */
static const char *last_line(worker *w)
{
    while (w->n_tail && strchr("\n\r \t", w->tail[w->n_tail - 1]))
        w->tail[--w->n_tail] = 0;
    const char *line = strrchr(w->tail, '\n');
    return line ? line + 1 : w->tail;
}

/* Takes the exit status, if the program ends within `seconds`; 1: it has. */
static int reap(worker *w, double seconds, int *status)
{
    const struct timespec pause = {0, 5000000};
    const double end = now() + seconds;
    *status = 0;
    while (w->pid) {
        const pid_t got = waitpid(w->pid, status, WNOHANG);
        if (got == w->pid || (got < 0 && errno != EINTR)) {
            w->pid = 0;
            return 1;
        }
        if (now() > end)
            return 0;
        if (w->err >= 0)
            hear(w);
        nanosleep(&pause, NULL);
    }
    return 1;
}

static int ended(worker *w)
{
    char how[64] = "closed its output";
    int status;
    if (reap(w, grace, &status)) {
        if (WIFSIGNALED(status))
            snprintf(how, sizeof how, "was ended by signal %d", WTERMSIG(status));
        else
            snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    }
    if (w->err >= 0)
        hear(w);
    const char *line = last_line(w);
    snprintf(w->reason, sizeof w->reason, "the program %s%s%s", how, *line ? ": " : "", line);
    w->why = w->reason;
    return -1;
}

static int too_slow(worker *w, double seconds)
{
    const char *line = last_line(w);
    snprintf(w->reason, sizeof w->reason, "the program did not answer within %g s%s%s", seconds,
             *line ? "; its last words: " : "", line);
    w->why = w->reason;
    return -1;
}

static int again(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* What poll found: moves bytes both ways. 0, or -1 when the program is gone. */
static int move(worker *w, const struct pollfd *p, const char **send_at, size_t *to_send,
                char **receive_at, size_t *to_receive)
{
    if (w->err >= 0 && p[2].revents)
        hear(w);
    if (*to_send && p[0].revents) {
        const ssize_t n = send(w->in, *send_at, *to_send, MSG_NOSIGNAL);
        if (n < 0 && !again(n))
            return -1;
        if (n > 0) {
            *send_at += n;
            *to_send -= (size_t)n;
        }
    }
    if (*to_receive && p[1].revents) {
        const ssize_t n = read(w->out, *receive_at, *to_receive);
        if (n == 0 || (n < 0 && !again(n)))
            return -1;
        if (n > 0) {
            *receive_at += n;
            *to_receive -= (size_t)n;
        }
    }
    return 0;
}

int worker_exchange(worker *w, const void *to, size_t n_send, void *from, size_t n_receive,
                    double seconds)
{
    const char *send_at = to;
    char *receive_at = from;
    const double end = now() + seconds;
    while (n_send || n_receive) {
        const double left = end - now();
        if (left <= 0)
            return too_slow(w, seconds);
        struct pollfd p[3] = {{n_send ? w->in : -1, POLLOUT, 0},
                              {n_receive ? w->out : -1, POLLIN, 0},
                              {w->err, POLLIN, 0}};
        const int n = poll(p, 3, left < 1e6 ? (int)(1000 * left) + 1 : 1000000000);
        if (n < 0 && errno != EINTR)
            return fails(w, "poll", errno);
        if (n > 0 && move(w, p, &send_at, &n_send, &receive_at, &n_receive))
            return ended(w);
    }
    return 0;
}

void worker_stop(worker *w)
{
    int status;
    close_fd(&w->in);
    close_fd(&w->out);
    if (w->pid) {
        const pid_t group = w->pid;
        if (!reap(w, grace, &status)) {
            kill(-group, SIGKILL);
            reap(w, grace, &status);
        }
    }
    close_fd(&w->err);
}
