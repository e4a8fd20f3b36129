/* Counts the allocations of this program by standing in front of the C library's functions. Include
 * in one file of a program. Where that cannot be done (another C library, a sanitizer,
 * valgrind) allocations_are_counted() is 0. */
#ifndef ANPE_TEST_ALLOCATION_COUNT_H
#define ANPE_TEST_ALLOCATION_COUNT_H
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_long n_allocations;
static __attribute__((unused)) atomic_long n_releases;

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *p);

void *malloc(size_t size)
{
    n_allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    n_allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    n_allocations++;
    return __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    n_allocations++;
    return __libc_memalign(align, size);
}

void free(void *p)
{
    n_releases += p != NULL;
    __libc_free(p);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    n_allocations++;
    *out = __libc_memalign(align, size);
    return *out ? 0 : ENOMEM;
}
#endif

/* Also from inside a shared library, which anpe is. */
static inline int allocations_are_counted(void *(*allocate)(void), void (*release)(void *))
{
    const long before = n_allocations;
    release(allocate());
    return n_allocations > before;
}
#endif
