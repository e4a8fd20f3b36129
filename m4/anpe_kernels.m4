# What the numerical kernels and the OpenBLAS plugin want to know.

# ANPE_CHECK_TARGET_CLONES: whether functions can be compiled for several x86-64 levels and chosen at
# load time.
AC_DEFUN([ANPE_CHECK_TARGET_CLONES],
  [AC_CACHE_CHECK([for function versions by instruction set], [anpe_cv_target_clones],
    [AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#ifndef __x86_64__
#error for x86-64 only
#endif
__attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
static int f(int x) { return x + 1; }
__attribute__((target("avx512f,avx2,fma"))) static int h(int x) { return x + 2; }
]], [[return f(0) + (__builtin_cpu_supports("avx512f") ? h(0) : 0);]])],
      [anpe_cv_target_clones=yes], [anpe_cv_target_clones=no])])
   AS_IF([test $anpe_cv_target_clones = yes],
     [AC_DEFINE([ANPE_HAVE_TARGET_CLONES], [1], [functions compiled for several x86-64 levels])])])

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
