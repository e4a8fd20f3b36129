/* tree FILE: every group, dataset and attribute of an HDF5 file, one a line: "labels/",
 * "labels/mean", "labels/@names", "@format". What docs/book/files.md says of a file is compared
 * with it. */
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

static const char *at; /* the object that attributes are being printed of */

static herr_t put_attribute(hid_t id, const char *name, const H5A_info_t *info, void *user)
{
    (void)id;
    (void)info;
    (void)user;
    printf("%s@%s\n", at, name);
    return 0;
}

static herr_t put_object(hid_t file, const char *name, const H5O_info_t *info, void *user)
{
    char path[512];
    const int root = !strcmp(name, ".");
    (void)user;
    snprintf(path, sizeof path, "%s%s", root ? "" : name,
             info->type == H5O_TYPE_GROUP && !root ? "/" : "");
    if (!root)
        printf("%s\n", path);
    at = path;
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    const herr_t status =
        H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, put_attribute, NULL);
    H5Oclose(object);
    return status;
}

int main(int argc, char **argv)
{
    hid_t file = argc == 2 ? H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT) : H5I_INVALID_HID;
    if (file < 0) {
        fprintf(stderr, "usage: tree FILE\n");
        return 2;
    }
    const herr_t status = H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, put_object, NULL);
    H5Fclose(file);
    return status < 0;
}
