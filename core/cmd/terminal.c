/* Log lines and progress on standard error: a bar on a terminal, one line a minute elsewhere. */
#include <config.h>
#include "cmd/command.h"
#include "base/clock.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    int quiet, debug, is_terminal;
    int drawn;          /* the cursor stands behind a bar */
    char what[64];      /* the work under way */
    double start, last; /* seconds; last: when it was drawn */
    double start_done;  /* where it began, so that resumed work shows its own rate */
} terminal;

static void clear_line(void)
{
    if (terminal.drawn)
        fprintf(stderr, "\r\033[K");
    terminal.drawn = 0;
}

static void log_line(void *user, anpe_level level, const char *line)
{
    (void)user;
    if ((level == ANPE_DEBUG && !terminal.debug) || (level == ANPE_INFO && terminal.quiet))
        return;
    clear_line();
    fprintf(stderr, "anpe: %s%s\n",
            level == ANPE_WARNING ? "warning: "
            : level == ANPE_DEBUG ? "debug: "
                                  : "",
            line);
}

/* 59 -> "0:59", 3723 -> "1:02:03" */
static const char *clock_text(double seconds, char *buffer, size_t size)
{
    if (!isfinite(seconds) || seconds > 3.6e8)
        return "?";
    const long s = lround(seconds);
    if (s >= 3600)
        snprintf(buffer, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buffer, size, "%ld:%02ld", s / 60, s % 60);
    return buffer;
}

static void draw(double done, double total, double rate)
{
    enum { WIDTH = 30 };
    char bar[WIDTH + 1], left[32];
    const double part = total > 0 ? fmin(fmax(done / total, 0), 1) : 0;
    const int full = (int)(part * WIDTH), decimals = rate < 1 ? 3 : rate < 100 ? 1 : 0;
    memset(bar, '.', WIDTH);
    memset(bar, '#', (size_t)full);
    bar[WIDTH] = 0;
    if (terminal.is_terminal)
        fprintf(stderr, "\r\033[K%s [%s] ", terminal.what, bar);
    else
        fprintf(stderr, "anpe: %s: ", terminal.what);
    if (total > 0)
        fprintf(stderr, "%.0f %% (%.15g of %.15g), %.*f/s, %s left", 100 * part, done, total,
                decimals, rate, clock_text((total - done) / rate, left, sizeof left));
    else
        fprintf(stderr, "%.15g, %.*f/s", done, decimals, rate);
    if (!terminal.is_terminal)
        fprintf(stderr, "\n");
    terminal.drawn = terminal.is_terminal;
}

static void progress(void *user, const char *what, double done, double total)
{
    const double t = anpe_clock_seconds();
    (void)user;
    if (strncmp(terminal.what, what, sizeof terminal.what - 1)) {
        anpe_terminal_end();
        snprintf(terminal.what, sizeof terminal.what, "%s", what);
        terminal.start = terminal.last = t;
        terminal.start_done = done;
        return;
    }
    const int ended = total > 0 && done >= total;
    const double pause = terminal.is_terminal ? 0.1 : 60;
    if (t - terminal.last >= pause || (ended && terminal.is_terminal)) {
        terminal.last = t;
        draw(done, total,
             t > terminal.start ? (done - terminal.start_done) / (t - terminal.start) : 0);
    }
    if (ended)
        anpe_terminal_end();
}

void anpe_terminal_start(anpe_ctx *ctx, int quiet)
{
    const char *debug = getenv("ANPE_DEBUG");
    terminal.quiet = quiet;
    terminal.debug = debug && !strcmp(debug, "1");
    terminal.is_terminal = isatty(STDERR_FILENO);
    anpe_ctx_set_log(ctx, log_line, NULL);
    if (!quiet)
        anpe_ctx_set_progress(ctx, progress, NULL);
}

void anpe_terminal_end(void)
{
    if (terminal.drawn)
        fprintf(stderr, "\n");
    terminal.drawn = 0;
    terminal.what[0] = 0;
}
