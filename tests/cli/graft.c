/* graft FROM TO [LAYOUT]: copies the group `validation` of one model file into another, there with
 * another attribute `layout` if one is given. */
#include <hdf5.h>
#include <stdlib.h>

/* Made anew: HDF5 1.10 does not write to one of many attributes. */
static int set_layout(hid_t file, long layout)
{
    const int64_t value = layout;
    const hid_t group = H5Gopen(file, "validation", H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
    if (group < 0 || space < 0 || H5Adelete(group, "layout") < 0)
        return 1;
    const hid_t a = H5Acreate(group, "layout", H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
    const int failed = a < 0 || H5Awrite(a, H5T_NATIVE_INT64, &value) < 0;
    return failed || H5Aclose(a) < 0 || H5Sclose(space) < 0 || H5Gclose(group) < 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4)
        return 2;
    const hid_t from = H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t to = H5Fopen(argv[2], H5F_ACC_RDWR, H5P_DEFAULT);
    if (from < 0 || to < 0 ||
        H5Ocopy(from, "validation", to, "validation", H5P_DEFAULT, H5P_DEFAULT) < 0)
        return 1;
    if (argc == 4 && set_layout(to, strtol(argv[3], NULL, 10)))
        return 1;
    return H5Fclose(to) < 0 || H5Fclose(from) < 0;
}
