# ANPE_CHECK_MPI: the library of the optional plugin ranks/mpi: MPI_CFLAGS, MPI_LIBS, by pkg-config or by what
# mpicc says of itself. Nothing else is compiled or linked with it.
AC_DEFUN([ANPE_CHECK_MPI],
  [AC_ARG_WITH([mpi], [AS_HELP_STRING([--without-mpi], [do not build the plugin ranks/mpi: anpe runs as one process])])
   have_mpi="no (Debian: libopenmpi-dev openmpi-bin)"
   AS_IF([test "x$with_mpi" = xno], [have_mpi="no, as asked"],
     [PKG_CHECK_MODULES([MPI], [ompi-c], [have_mpi="Open MPI $($PKG_CONFIG --modversion ompi-c)"],
       [PKG_CHECK_MODULES([MPI], [mpich], [have_mpi="MPICH $($PKG_CONFIG --modversion mpich)"],
         [AC_PATH_PROG([MPICC], [mpicc])
          AS_IF([test -n "$MPICC"],
           [MPI_CFLAGS=$($MPICC --showme:compile 2>/dev/null || $MPICC -compile-info 2>/dev/null | cut -d' ' -f2-)
            MPI_LIBS=$($MPICC --showme:link 2>/dev/null || $MPICC -link-info 2>/dev/null | cut -d' ' -f2-)])])])
      anpe_save_LIBS=$LIBS anpe_save_CPPFLAGS=$CPPFLAGS
      LIBS="$MPI_LIBS $LIBS" CPPFLAGS="$CPPFLAGS $MPI_CFLAGS"
      AC_MSG_CHECKING([for MPI 3])
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <mpi.h>
#if MPI_VERSION < 3
#error version 3 or later
#endif
]], [[int level; return MPI_Init_thread(0, 0, MPI_THREAD_FUNNELED, &level);]])],
        [anpe_mpi=yes
         case $have_mpi in no*) have_mpi="by $MPICC" ;; esac],
        [anpe_mpi=no
         have_mpi="no (Debian: libopenmpi-dev openmpi-bin)"
         AS_IF([test "x$with_mpi" = xyes], [AC_MSG_ERROR([MPI is asked for and not found (Debian: libopenmpi-dev)])])])
      AC_MSG_RESULT([$anpe_mpi])
      LIBS=$anpe_save_LIBS CPPFLAGS=$anpe_save_CPPFLAGS])
   AM_CONDITIONAL([HAVE_MPI], [test "x$anpe_mpi" = xyes])])
