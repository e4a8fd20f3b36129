# What the numerical kernels and the OpenBLAS plugin want to know.

# ANPE_CHECK_TARGET_CLONES: whether functions can be compiled for several x86-64 levels and chosen at
# load time.
AC_DEFUN([ANPE_CHECK_TARGET_CLONES],
  [AC_CACHE_CHECK([for function versions by instruction set], [anpe_cv_target_clones],
    [AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#ifndef __x86_64__
#error for x86-64 only
#elif defined(__clang__)
#error one symbol of the program for the resolvers of static functions of one name: two of them do not link
#endif
__attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
static int f(int x) { return x + 1; }
__attribute__((target("avx512f,avx2,fma"))) static int h(int x) { return x + 2; }
]], [[return f(0) + (__builtin_cpu_supports("avx512f") ? h(0) : 0);]])],
      [anpe_cv_target_clones=yes], [anpe_cv_target_clones=no])])
   AS_IF([test $anpe_cv_target_clones = yes],
     [AC_DEFINE([ANPE_HAVE_TARGET_CLONES], [1], [functions compiled for several x86-64 levels])])])

# ANPE_CHECK_VECTORISER: VECTOR_CFLAGS, how this compiler is asked for vectors by name.
AC_DEFUN([ANPE_CHECK_VECTORISER],
  [AC_CACHE_CHECK([for flags of the vectoriser], [anpe_cv_vectoriser],
    [anpe_save_CFLAGS=$CFLAGS
     anpe_cv_vectoriser=none
     for anpe_try in "-ftree-loop-vectorize -ftree-slp-vectorize -fvect-cost-model=dynamic -fpeel-loops" \
       "-fvectorize -fslp-vectorize"; do
       CFLAGS="$anpe_save_CFLAGS -Werror $anpe_try"
       AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [anpe_cv_vectoriser=$anpe_try; break])
     done
     CFLAGS=$anpe_save_CFLAGS])
   AS_IF([test "x$anpe_cv_vectoriser" != xnone], [AC_SUBST([VECTOR_CFLAGS], [$anpe_cv_vectoriser])])])

# ANPE_CHECK_OPENBLAS_NAME: the name that the plugin opens at run time, after it has chosen kernels.
AC_DEFUN([ANPE_CHECK_OPENBLAS_NAME],
  [AC_CHECK_TOOL([OBJDUMP], [objdump], [:])
   AC_CACHE_CHECK([for the name of the OpenBLAS library], [anpe_cv_openblas_soname],
    [anpe_save_LIBS=$LIBS
     LIBS="$OPENBLAS_LIBS $LIBS"
     anpe_cv_openblas_soname=libopenblas.so.0
     AC_LINK_IFELSE([AC_LANG_PROGRAM([[void cblas_sgemm(void);]], [[cblas_sgemm();]])],
       [anpe_name=`$OBJDUMP -p conftest$ac_exeext 2>/dev/null | sed -n 's/.*NEEDED *\(.*openblas[[^ ]]*\).*/\1/p'`
        test -n "$anpe_name" && anpe_cv_openblas_soname=$anpe_name])
     LIBS=$anpe_save_LIBS])
   AC_DEFINE_UNQUOTED([ANPE_OPENBLAS_SONAME], ["$anpe_cv_openblas_soname"], [OpenBLAS at run time])])

# ANPE_CHECK_ONEDNN: the library of the optional backend onednn, and the OpenMP run-time below it, which
# the backend tells to start no threads.
AC_DEFUN([ANPE_CHECK_ONEDNN],
  [AC_ARG_WITH([onednn], [AS_HELP_STRING([--without-onednn], [do not build the backend onednn])])
   have_onednn="no (Debian: libdnnl-dev)"
   AS_IF([test "x$with_onednn" = xno], [have_onednn="no, as asked"],
     [AC_CACHE_CHECK([for oneDNN], [anpe_cv_onednn],
       [anpe_cv_onednn=no
        anpe_save_LIBS=$LIBS
        for anpe_try in "-ldnnl" "-ldnnl -lgomp" "-ldnnl -lomp"; do
          LIBS="$anpe_try $anpe_save_LIBS"
          AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <dnnl.h>
#if DNNL_VERSION_MAJOR != 2 || DNNL_VERSION_MINOR < 4
#error version 2.4 or later of 2
#elif DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP
#include <omp.h>
#elif DNNL_CPU_RUNTIME != DNNL_RUNTIME_SEQ
#error threads that cannot be turned off
#else
#define omp_set_num_threads(n)
#endif
]], [[dnnl_engine_t e; omp_set_num_threads(1); return dnnl_engine_create(&e, dnnl_cpu, 0);]])],
            [anpe_cv_onednn=$anpe_try; break])
        done
        LIBS=$anpe_save_LIBS])
      AS_IF([test "x$anpe_cv_onednn" = xno],
        [AS_IF([test "x$with_onednn" = xyes], [AC_MSG_ERROR([oneDNN 2 is asked for and not found (Debian: libdnnl-dev)])])],
        [AC_SUBST([ONEDNN_LIBS], [$anpe_cv_onednn])
         AC_DEFINE([HAVE_ONEDNN], [1], [the backend onednn is built])
         have_onednn="$anpe_cv_onednn"])])
   AM_CONDITIONAL([HAVE_ONEDNN], [test -n "$ONEDNN_LIBS"])])
