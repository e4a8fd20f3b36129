/* graft FROM TO: copies the group `validation` of one model file into another. */
#include <hdf5.h>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const hid_t from = H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t to = H5Fopen(argv[2], H5F_ACC_RDWR, H5P_DEFAULT);
    if (from < 0 || to < 0 ||
        H5Ocopy(from, "validation", to, "validation", H5P_DEFAULT, H5P_DEFAULT) < 0)
        return 1;
    return H5Fclose(to) < 0 || H5Fclose(from) < 0;
}
