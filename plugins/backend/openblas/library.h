/* OpenBLAS as it is opened at run time, with the kernels that suit the processor. */
#ifndef OPENBLAS_LIBRARY_H
#define OPENBLAS_LIBRARY_H

typedef struct library {
    void *handle;    /* of dlopen; NULL: it cannot be opened, dlerror() says why */
    char core[32];   /* the kernels in force; "": it does not say */
    char better[32]; /* kernels that the processor could run and that are not there, or "" */
    int resident;    /* the process had it before: kernels and threads are as they were */
    int by_variable; /* OPENBLAS_CORETYPE is in the environment */
} library;

/* Opens the library by its name. coretype "auto" or "": OPENBLAS_CORETYPE if it is set, else what
 * OpenBLAS chooses, unless it has kernels with wider instructions of `sets` (processor.h): then
 * those. Any other: that one, if the library has it. The environment is as before afterwards; it is
 * changed in between, so no other thread may read it then. */
library library_open(const char *name, const char *coretype, unsigned sets);
/* A function by name -> *function, a pointer to one; 0 if there is none. */
int library_find(const library *l, const char *name, void *function);
#endif
