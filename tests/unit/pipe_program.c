/* A program for simulator pipe: two labels a, b -> a Gaussian line of depth a at pixel 10 b, on ten
 * pixels. Its first argument says how it behaves:
 *   good          as it should
 *   talks         the same, with much on standard error
 *   crash         ends by a signal where a > 0.9
 *   once FILE     ends at its first request unless FILE is there, which it makes
 *   hang          does not answer where a > 0.9
 *   refuse        says no where a > 0.9
 *   nan           gives a value that is not finite where a > 0.9
 *   chatter       prints a word on standard output after the header
 *   changes FILE  has another range when FILE is there, which it makes; ends at its first request
 *   header TEXT   prints TEXT in place of the header
 *   closes        ends at once, with a sentence */
#include <config.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 10 };

static int is(char **argv, const char *name)
{
    return argv[1] && !strcmp(argv[1], name);
}

/* 1 the first time it is asked with this file. */
static int first_time(const char *path)
{
    if (access(path, F_OK) == 0)
        return 0;
    FILE *f = fopen(path, "w");
    if (f)
        fclose(f);
    return 1;
}

static void header(char **argv)
{
    double wavelength[N];
    const int first = is(argv, "changes") && first_time(argv[2]);
    for (int i = 0; i < N; i++)
        wavelength[i] = 5000 + i;
    printf("anpe-pipe 1\nlabel a - 0 1\nlabel b km/s 0 %s\npixels %d\nresolution 1000.5\n"
           "normalised 1\nwavelength\nend\n",
           first || !is(argv, "changes") ? "1" : "2.5", N);
    fwrite(wavelength, sizeof *wavelength, N, stdout);
    if (is(argv, "chatter"))
        printf("hello, world, here I am\n");
    fflush(stdout);
}

static void refuse(const char *why)
{
    const int64_t count = -(int64_t)strlen(why);
    fwrite(&count, sizeof count, 1, stdout);
    fputs(why, stdout);
    fflush(stdout);
}

static void misbehave(char **argv)
{
    if (is(argv, "crash")) {
        fprintf(stderr, "first line\nthe table ends here\n");
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would make an exit of it */
        raise(SIGSEGV);
    }
    while (is(argv, "hang"))
        pause();
}

static void answer(char **argv, int64_t n, const double *theta)
{
    fwrite(&n, sizeof n, 1, stdout);
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < N; k++) {
            const double a = theta[2 * i], d = k - N * theta[2 * i + 1];
            const float f = is(argv, "nan") && a > 0.9 ? NAN : (float)(1 - a * exp(-d * d / 2));
            fwrite(&f, sizeof f, 1, stdout);
        }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int64_t n;
    if (argc > 2 && is(argv, "header")) {
        fputs(argv[2], stdout);
        fflush(stdout);
        pause();
    }
    if (is(argv, "closes")) {
        fprintf(stderr, "no licence found\n");
        return 3;
    }
    header(argv);
    while (fread(&n, sizeof n, 1, stdin) == 1) {
        double *theta = calloc((size_t)n, 2 * sizeof *theta);
        if (!theta || fread(theta, 2 * sizeof *theta, (size_t)n, stdin) != (size_t)n)
            return 1;
        if ((is(argv, "once") || is(argv, "changes")) && first_time(argv[2]))
            return 1;
        int high = 0;
        for (int64_t i = 0; i < n; i++)
            high |= theta[2 * i] > 0.9;
        if (is(argv, "talks"))
            for (int i = 0; i < 5000; i++)
                fprintf(stderr, "line %d of very many words that nobody reads\n", i);
        if (high && is(argv, "refuse"))
            refuse("no such star");
        else {
            if (high)
                misbehave(argv);
            answer(argv, n, theta);
        }
        free(theta);
    }
    return 0;
}
