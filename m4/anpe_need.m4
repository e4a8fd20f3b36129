# Required libraries, collected so that one run names every Debian package that is missing.

# ANPE_MISSING(WHAT, PACKAGE)
AC_DEFUN([ANPE_MISSING], [anpe_missing="$anpe_missing $2"; AC_MSG_WARN([$1 not found (Debian: $2)])])

# ANPE_NEED_PKG(VARIABLE, MODULE, PACKAGE) by pkg-config
AC_DEFUN([ANPE_NEED_PKG], [PKG_CHECK_MODULES([$1], [$2], [], [ANPE_MISSING([$2], [$3])])])

# ANPE_NEED_HEADER(HEADER, PACKAGE)
AC_DEFUN([ANPE_NEED_HEADER], [AC_CHECK_HEADER([$1], [], [ANPE_MISSING([$1], [$2])])])

# ANPE_NEED_LIB(VARIABLE, HEADER, LIBRARY, FUNCTION, PACKAGE)
AC_DEFUN([ANPE_NEED_LIB],
  [anpe_found=no
   AC_CHECK_HEADER([$2], [AC_CHECK_LIB([$3], [$4], [anpe_found=yes; AC_SUBST([$1_LIBS], [-l$3])])])
   AS_IF([test $anpe_found = no], [ANPE_MISSING([$3], [$5])])])

# Serial HDF5: Debian's hdf5-serial.pc, else hdf5.pc, else the plain library.
AC_DEFUN([ANPE_NEED_HDF5],
  [PKG_CHECK_MODULES([HDF5], [hdf5-serial], [],
    [PKG_CHECK_MODULES([HDF5], [hdf5], [],
      [AC_CHECK_HEADER([hdf5.h], [AC_CHECK_LIB([hdf5], [H5Fopen], [AC_SUBST([HDF5_LIBS], [-lhdf5])],
         [ANPE_MISSING([HDF5], [libhdf5-dev])])], [ANPE_MISSING([HDF5], [libhdf5-dev])])])])
   # Releases from 1.12 on have other arguments for some functions (H5Ovisit) unless they are asked not to.
   AC_SUBST([HDF5_CFLAGS], ["$HDF5_CFLAGS -DH5_USE_110_API"])])

AC_DEFUN([ANPE_REPORT_MISSING],
  [AS_IF([test -n "$anpe_missing"],
    [AC_MSG_ERROR([required libraries are missing. On Debian: apt-get install$anpe_missing])])])
