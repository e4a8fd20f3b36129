/* See fetch.h. */
#include <config.h>
#include "zoo/fetch.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef ANPE_HAVE_CURL
#include <curl/curl.h>
#endif

/* Where bytes go: to a file (fd >= 0) or into memory. */
typedef struct sink {
    anpe_ctx *ctx;
    const char *what; /* progress; NULL: none */
    int fd;
    int64_t at, most; /* bytes that are there; how many may be */
    char *text;       /* (most + 1), of memory */
    int error;        /* errno of a write that failed */
    int too_long;
} sink;

static int write_whole(sink *s, const char *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        const ssize_t k = write(s->fd, bytes + done, n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            s->error = errno;
            return 0;
        }
        done += (size_t)k;
        s->at += k;
    }
    return 1;
}

/* Takes all of it, or says no: then error, too_long or the context says why. */
static int take(sink *s, const char *bytes, size_t n)
{
    if ((int64_t)n > s->most - s->at) {
        s->too_long = 1;
        return 0;
    }
    if (anpe_cancelled(s->ctx))
        return 0;
    if (s->fd < 0) {
        memcpy(s->text + s->at, bytes, n);
        s->at += (int64_t)n;
    } else if (!write_whole(s, bytes, n)) {
        return 0;
    }
    if (s->what)
        anpe_progress(s->ctx, s->what, (double)s->at, (double)s->most);
    return 1;
}

static int is_url(const char *registry)
{
    return strstr(registry, "://") != NULL;
}

/* ---- a directory ------------------------------------------------------------------------- */

static anpe_status from_directory(const char *path, sink *s)
{
    char block[65536], why[128];
    ssize_t n = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || lseek(fd, s->at, SEEK_SET) < 0;
    while (!failed && (n = read(fd, block, sizeof block)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        failed = n < 0;
        if (!failed && !take(s, block, (size_t)n))
            break;
    }
    const int error = errno;
    if (fd >= 0)
        close(fd);
    return failed ? ANPE_FAIL(s->ctx, ANPE_EIO, "%s: %s", path,
                              anpe_errno_text(error, why, sizeof why))
                  : ANPE_OK;
}

/* ---- a web server ------------------------------------------------------------------------ */

#ifdef ANPE_HAVE_CURL
enum { TRIES = 8, STALLED = 60 /* seconds without a byte */ };

static size_t on_bytes(char *bytes, size_t size, size_t n, void *user)
{
    return take(user, bytes, size * n) ? size * n : 0;
}

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up,
                       curl_off_t upped)
{
    const sink *s = user;
    (void)total;
    (void)now;
    (void)up;
    (void)upped;
    return anpe_cancelled(s->ctx);
}

static CURL *new_handle(const char *url, sink *s, char *why)
{
    static int started;
    if (!started && curl_global_init(CURL_GLOBAL_DEFAULT))
        return NULL;
    started = 1;
    CURL *c = curl_easy_init();
    if (!c)
        return NULL;
    const char *bundle = getenv("CURL_CA_BUNDLE");
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,file");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTPS | CURLPROTO_FILE));
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALLED);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "anpe/" PACKAGE_VERSION);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, s);
    curl_easy_setopt(c, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)s->at);
    if (bundle && *bundle)
        curl_easy_setopt(c, CURLOPT_CAINFO, bundle);
    return c;
}

static int is_broken(CURLcode code)
{
    return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
           code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING ||
           code == CURLE_HTTP2_STREAM || code == CURLE_SSL_CONNECT_ERROR;
}

/* A server that cannot begin in the middle gives all anew. */
static int start_over(sink *s)
{
    if (s->fd < 0 || ftruncate(s->fd, 0) || lseek(s->fd, 0, SEEK_SET) < 0)
        return 0;
    s->at = 0;
    return 1;
}

static anpe_status from_server(const char *url, sink *s)
{
    char why[CURL_ERROR_SIZE];
    CURLcode code = CURLE_OK;
    for (int k = 0; k < TRIES; k++) {
        const int64_t before = s->at;
        why[0] = '\0';
        CURL *c = new_handle(url, s, why);
        if (!c)
            return ANPE_FAIL(s->ctx, ANPE_ENOMEM, "%s: libcurl cannot be started", url);
        code = curl_easy_perform(c);
        curl_easy_cleanup(c);
        if (code == CURLE_OK || s->error || s->too_long || anpe_cancelled(s->ctx))
            return ANPE_OK; /* said by who looks at the sink */
        if (code == CURLE_RANGE_ERROR && start_over(s))
            continue;
        if (!is_broken(code) || s->at == before)
            break;
        anpe_log(s->ctx, ANPE_INFO, "%s: broken off after %lld bytes (%s); going on from there",
                 url, (long long)s->at, why[0] ? why : curl_easy_strerror(code));
    }
    return ANPE_FAIL(s->ctx, ANPE_EIO, "%s: %s", url, why[0] ? why : curl_easy_strerror(code));
}
#else
static anpe_status from_server(const char *url, sink *s)
{
    return ANPE_FAIL(s->ctx, ANPE_EUNSUPPORTED,
                     "%s: this anpe was built without libcurl (Debian: libcurl4-openssl-dev); a "
                     "registry that is a directory can be read",
                     url);
}
#endif

/* ------------------------------------------------------------------------------------------ */

static anpe_status check_scheme(anpe_ctx *ctx, const char *registry)
{
    if (!is_url(registry) || !strncmp(registry, "https://", 8) || !strncmp(registry, "file://", 7))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: a registry is a directory, or https:// or file://",
                     registry);
}

static anpe_status fetch(const char *registry, const char *name, sink *s)
{
    char *from;
    const size_t length = strlen(registry);
    anpe_status status = check_scheme(s->ctx, registry);
    if (status)
        return status;
    if (asprintf(&from, "%s%s%s", registry, length && registry[length - 1] == '/' ? "" : "/",
                 name) < 0)
        return ANPE_NO_MEMORY(s->ctx, "a path");
    status = is_url(registry) ? from_server(from, s) : from_directory(from, s);
    if (!status && s->too_long)
        status = ANPE_FAIL(s->ctx, ANPE_EFORMAT, "%s: is longer than %lld bytes", from,
                           (long long)s->most);
    else if (!status && anpe_cancelled(s->ctx))
        status = ANPE_FAIL(s->ctx, ANPE_ECANCEL, "%s: cancelled", from);
    free(from);
    return status;
}

anpe_status anpe_fetch_text(anpe_ctx *ctx, const char *registry, const char *name, size_t most,
                            char **text, size_t *n)
{
    sink s = {.ctx = ctx, .fd = -1, .most = (int64_t)most};
    *text = NULL;
    *n = 0;
    if (ANPE_NEW(ctx, s.text, s.most + 1))
        return ANPE_ENOMEM;
    const anpe_status status = fetch(registry, name, &s);
    if (status) {
        free(s.text);
        return status;
    }
    *text = s.text;
    *n = (size_t)s.at;
    return ANPE_OK;
}

static anpe_status cannot_write(anpe_ctx *ctx, const char *path, int error)
{
    char why[128];
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: %s", path,
                     anpe_errno_text(error, why, sizeof why));
}

anpe_status anpe_fetch_file(anpe_ctx *ctx, const char *registry, const char *name, const char *path,
                            int64_t size, const char *what)
{
    sink s = {.ctx = ctx, .what = what, .most = size};
    s.fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (s.fd < 0)
        return cannot_write(ctx, path, errno);
    s.at = lseek(s.fd, 0, SEEK_END);
    if (s.at > size && !ftruncate(s.fd, 0))
        s.at = lseek(s.fd, 0, SEEK_SET);
    anpe_status status = s.at < size ? fetch(registry, name, &s) : ANPE_OK;
    if (!status && s.error)
        status = cannot_write(ctx, path, s.error);
    else if (!status && s.at < size)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s/%s: ends after %lld of %lld bytes", registry,
                           name, (long long)s.at, (long long)size);
    if (fsync(s.fd) && !status)
        status = cannot_write(ctx, path, errno);
    if (close(s.fd) && !status)
        status = cannot_write(ctx, path, errno);
    return status;
}
