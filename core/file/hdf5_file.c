/* file/hdf5_file.c -- see hdf5_file.h. Every failure names file and object; what the library
 * knows beyond that (mostly the system's reason, such as a full disk) is taken from its error
 * stack, since its own printing is off. */
#include <config.h>
#include "file/hdf5_file.h"
#include "file/hdf5_private.h"
#include "file/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- errors ------------------------------------------------------------------------------ */

static herr_t first_reason(unsigned depth, const H5E_error2_t *error, void *user)
{
    char *reason = user;
    const char *from = error->desc ? strstr(error->desc, "error message = '") : NULL;
    (void)depth;
    if (from && !reason[0]) {
        from += strlen("error message = '");
        size_t n = strcspn(from, "'");
        n = n < 120 ? n : 120;
        memcpy(reason, ": ", 2);
        memcpy(reason + 2, from, n);
        reason[n + 2] = '\0';
    }
    return 0;
}

const char *anpe_h5_reason(char reason[128])
{
    reason[0] = '\0';
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_reason, reason);
    H5Eclear2(H5E_DEFAULT);
    return reason;
}

anpe_status anpe_h5_cannot(anpe_ctx *ctx, anpe_h5 *f, const char *verb, const char *name)
{
    char reason[128];
    anpe_h5_reason(reason);
    f->failed = f->created;
    anpe_status status = f->created || reason[0] ? ANPE_EIO : ANPE_EFORMAT;
    return ANPE_FAIL(ctx, status, "%s: cannot %s '%s'%s", f->path, verb, name, reason);
}

/* ---- files ------------------------------------------------------------------------------- */

void anpe_h5_own_process(void)
{
    H5dont_atexit();
}

/* The error stack is the whole program's: what stands on it, and who is told of errors (a function
 * of either version of HDF5's interface), is put aside while a file of ours is open. */
static struct {
    int n_files;
    hid_t stack;
    unsigned second;
    H5E_auto1_t told_first;
    H5E_auto2_t told_second;
    void *user;
} aside;

static void put_errors_aside(void)
{
    if (aside.n_files++)
        return;
    aside.stack = H5Eget_current_stack();
    H5Eauto_is_v2(H5E_DEFAULT, &aside.second);
    if (aside.second)
        H5Eget_auto2(H5E_DEFAULT, &aside.told_second, &aside.user);
    else
        H5Eget_auto1(&aside.told_first, &aside.user);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void put_errors_back(void)
{
    if (--aside.n_files)
        return;
    if (aside.second)
        H5Eset_auto2(H5E_DEFAULT, aside.told_second, aside.user);
    else
        H5Eset_auto1(aside.told_first, aside.user);
    H5Eset_current_stack(aside.stack); /* closes it, too */
}

static anpe_status new_file(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    *out = NULL;
    anpe_h5 *f = anpe_alloc(ctx, sizeof *f);
    if (!f)
        return ANPE_ENOMEM;
    f->id = H5I_INVALID_HID;
    f->path = anpe_strdup(ctx, path);
    if (!f->path) {
        anpe_free(f);
        return ANPE_ENOMEM;
    }
    put_errors_aside();
    *out = f;
    return ANPE_OK;
}

static anpe_h5 *free_file(anpe_h5 *f)
{
    put_errors_back();
    anpe_h5_forget_sets(f);
    free(f->path);
    anpe_free(f);
    return NULL;
}

/* Format of HDF5 1.8 at least: attributes may then be longer than 64 KiB. */
static hid_t access_list(void)
{
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(fapl, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
    /* Locks only get in the way: readers see whole files, writers have a name of their own. */
    H5Pset_file_locking(fapl, 0, 1);
#endif
    return fapl;
}

static anpe_status fail_errno(anpe_ctx *ctx, const char *path, int error)
{
    char text[128];
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path,
                     anpe_errno_text(error, text, sizeof text));
}

/* Without opening it, which may be for ever. */
static anpe_status check_kind(anpe_ctx *ctx, const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return fail_errno(ctx, path, errno);
    if (!S_ISREG(st.st_mode))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: not a regular file", path);
    return st.st_size > 0 ? ANPE_OK : ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the file is empty", path);
}

/* What is wrong with a file that HDF5 does not open. */
static anpe_status refuse(anpe_ctx *ctx, const char *path)
{
    char reason[128];
    anpe_h5_reason(reason); /* before HDF5 is asked more */
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(ctx, path, errno);
    close(fd);
    if (H5Fis_hdf5(path) <= 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not an HDF5 file", path);
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: damaged or truncated HDF5 file%s", path, reason);
}

/* All that can be known before HDF5 sees a byte. */
static anpe_status check_bytes(anpe_ctx *ctx, const char *path, int *sealed)
{
    const anpe_status status = check_kind(ctx, path);
    return status ? status : anpe_seal_check(ctx, path, sealed);
}

static anpe_status check_readable(anpe_ctx *ctx, const char *path, int *sealed)
{
    const anpe_status status = check_bytes(ctx, path, sealed);
    return status || H5Fis_hdf5(path) > 0 ? status : refuse(ctx, path);
}

/* One of anpe's own that has the room for a seal, and no seal in it: the seal's first word is
 * damaged. Files of others have other things in that room. */
static int has_lost_seal(anpe_h5 *f)
{
    hsize_t room = 0;
    const hid_t fcpl = f->sealed ? -1 : H5Fget_create_plist(f->id);
    if (fcpl < 0)
        return 0;
    H5Pget_userblock(fcpl, &room);
    H5Pclose(fcpl);
    return room > 0 && anpe_h5_has_attribute(f, "/", "format");
}

anpe_status anpe_h5_open(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    anpe_h5 *f;
    *out = NULL;
    anpe_status status = new_file(ctx, path, &f);
    if (status)
        return status;
    if ((status = check_bytes(ctx, path, &f->sealed))) {
        free_file(f);
        return status;
    }
    hid_t fapl = access_list();
    f->id = H5Fopen(path, H5F_ACC_RDONLY, fapl);
    H5Pclose(fapl);
    if (f->id < 0) /* a host may have it open itself, with other properties */
        f->id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (f->id < 0) {
        status = refuse(ctx, path);
        free_file(f);
        return status;
    }
    if (has_lost_seal(f)) {
        anpe_h5_abandon(f);
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the file is damaged: its seal cannot be read",
                         path);
    }
    *out = f;
    return ANPE_OK;
}

anpe_status anpe_h5_open_sealed(anpe_ctx *ctx, const char *path, const char *what, anpe_h5 **out)
{
    struct stat st;
    *out = NULL;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size && !anpe_seal_begins(path) &&
        H5Fis_hdf5(path) > 0) /* that reads eight bytes */
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: not a %s with a seal, which is checked before a file is opened; if "
                         "it is one of an earlier version, and you trust where it is from, 'anpe "
                         "zoo seal %s' adds it",
                         path, what, path);
    return anpe_h5_open(ctx, path, out);
}

static anpe_status create(anpe_ctx *ctx, const char *path, int sealed, anpe_h5 **out)
{
    *out = NULL;
    anpe_h5 *f;
    anpe_status status = new_file(ctx, path, &f);
    if (status)
        return status;
    if ((status = anpe_output_begin(ctx, &f->output, path))) {
        free_file(f);
        return status;
    }
    f->created = 1;
    f->sealed = sealed;
    hid_t fapl = access_list(), fcpl = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(fcpl, 0);
    H5Pset_userblock(fcpl, sealed ? ANPE_SEAL_BYTES : 0);
    f->id = H5Fcreate(f->output.temporary, H5F_ACC_TRUNC, fcpl, fapl);
    if (f->id < 0) { /* the reason is on a stack that the next call clears */
        char reason[128];
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot create%s", path, anpe_h5_reason(reason));
    }
    H5Pclose(fcpl);
    H5Pclose(fapl);
    if (status) {
        anpe_h5_abandon(f);
        return status;
    }
    *out = f;
    return ANPE_OK;
}

anpe_status anpe_h5_create(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    return create(ctx, path, 0, out);
}

anpe_status anpe_h5_create_sealed(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    return create(ctx, path, 1, out);
}

anpe_status anpe_h5_update(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    anpe_h5 *f;
    *out = NULL;
    anpe_status status = new_file(ctx, path, &f);
    if (status)
        return status;
    if ((status = check_readable(ctx, path, &f->sealed)) ||
        (status = anpe_output_begin(ctx, &f->output, path))) {
        free_file(f);
        return status;
    }
    f->created = 1;
    status = anpe_output_copy(ctx, &f->output, path);
    hid_t fapl = access_list();
    if (!status && (f->id = H5Fopen(f->output.temporary, H5F_ACC_RDWR, fapl)) < 0)
        status = anpe_h5_cannot(ctx, f, "change", "/");
    H5Pclose(fapl);
    if (status)
        f = anpe_h5_abandon(f);
    *out = f;
    return status;
}

anpe_status anpe_h5_remove(anpe_ctx *ctx, anpe_h5 *f, const char *name)
{
    const anpe_status status = anpe_h5_close_sets(ctx, f);
    if (status)
        return status;
    if (anpe_h5_has(f, name) && H5Ldelete(f->id, name, H5P_DEFAULT) < 0)
        return anpe_h5_cannot(ctx, f, "remove", name);
    return ANPE_OK;
}

anpe_status anpe_h5_finish(anpe_ctx *ctx, anpe_h5 *f, anpe_output *out)
{
    anpe_status status = ANPE_OK;
    *out = (anpe_output){0};
    if (!f)
        return ANPE_OK;
    /* Flush first: a file that cannot be flushed must not be closed. */
    if (f->created && H5Fflush(f->id, H5F_SCOPE_GLOBAL) < 0) {
        status = anpe_h5_cannot(ctx, f, "write", "/");
        anpe_h5_abandon(f);
        return status;
    }
    status = anpe_h5_close_sets(ctx, f);
    if (H5Fclose(f->id) < 0 && !status)
        status = anpe_h5_cannot(ctx, f, "close", "/");
    if (!status && f->created && f->sealed)
        status = anpe_seal_write(ctx, f->output.temporary, f->path);
    if (status)
        anpe_output_abandon(&f->output);
    *out = f->output;
    free_file(f);
    return status;
}

anpe_status anpe_h5_close(anpe_ctx *ctx, anpe_h5 *f)
{
    const int created = f && f->created;
    anpe_output o;
    const anpe_status status = anpe_h5_finish(ctx, f, &o);
    return status || !created ? status : anpe_output_commit(ctx, &o);
}

anpe_h5 *anpe_h5_abandon(anpe_h5 *f)
{
    if (!f)
        return NULL;
    if (f->id >= 0 && f->created && !f->failed)
        f->failed = H5Fflush(f->id, H5F_SCOPE_GLOBAL) < 0;
    if (f->failed) /* the file stays open till the process ends: give its blocks back now */
        (void)!truncate(f->output.temporary, 0);
    else if (f->id >= 0)
        H5Fclose(f->id); /* and the datasets */
    H5Eclear2(H5E_DEFAULT);
    anpe_output_abandon(&f->output);
    return free_file(f);
}

const char *anpe_h5_path(const anpe_h5 *f)
{
    return f->path;
}

hid_t anpe_h5_id(const anpe_h5 *f)
{
    return f->id;
}

/* ---- looking up -------------------------------------------------------------------------- */

/* H5Oexists_by_name wants every link on the way to exist. */
int anpe_h5_has(anpe_h5 *f, const char *name)
{
    char part[512];
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof part)
        return 0;
    for (size_t k = 1; k <= n; k++) {
        if (name[k] != '/' && name[k] != '\0')
            continue;
        memcpy(part, name, k);
        part[k] = '\0';
        if (strcmp(part, "/") && H5Lexists(f->id, part, H5P_DEFAULT) <= 0) {
            H5Eclear2(H5E_DEFAULT);
            return 0;
        }
    }
    return 1;
}

int anpe_h5_has_attribute(anpe_h5 *f, const char *object, const char *name)
{
    if (strcmp(object, "/") && !anpe_h5_has(f, object))
        return 0;
    int has = H5Aexists_by_name(f->id, object, name, H5P_DEFAULT) > 0;
    H5Eclear2(H5E_DEFAULT);
    return has;
}
