/* flip_bit FILE DATASET: one bit of the middle byte of a dataset of an HDF5 file changes, as a bad
 * disk would do it: behind the back of the library. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

/* Where the dataset's bytes lie in the file; -1 on failure. */
static long find(const char *path, const char *name)
{
    long at = -1;
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = file < 0 ? -1 : H5Dopen2(file, name, H5P_DEFAULT);
    if (set >= 0 && H5Dget_offset(set) != HADDR_UNDEF)
        at = (long)(H5Dget_offset(set) + H5Dget_storage_size(set) / 2);
    if (set >= 0)
        H5Dclose(set);
    if (file >= 0)
        H5Fclose(file);
    return at;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: flip_bit FILE DATASET\n");
        return 2;
    }
    const long at = find(argv[1], argv[2]);
    FILE *f = at < 0 ? NULL : fopen(argv[1], "r+b");
    if (!f || fseek(f, at, SEEK_SET))
        return EXIT_FAILURE;
    const int byte = fgetc(f);
    if (byte == EOF || fseek(f, at, SEEK_SET) || fputc(byte ^ 1, f) == EOF)
        return EXIT_FAILURE;
    return fclose(f) ? EXIT_FAILURE : EXIT_SUCCESS;
}
