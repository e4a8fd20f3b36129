/* text_types FILE...: names every dataset and attribute of variable length in HDF5 files; status 1
 * if there is any, or if a file cannot be looked through. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct visit {
    const char *path;
    int n_texts, n_variable;
} visit;

static void look(visit *v, hid_t type, const char *object, const char *attribute)
{
    const int text = H5Tget_class(type) == H5T_STRING;
    v->n_texts += text;
    if ((text && H5Tis_variable_str(type) > 0) || H5Tdetect_class(type, H5T_VLEN) > 0) {
        printf("%s: %s %s\n", v->path, object, attribute);
        v->n_variable++;
    }
    H5Tclose(type);
}

typedef struct place {
    visit *v;
    const char *object;
} place;

static herr_t on_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user)
{
    const place *p = user;
    const hid_t a = H5Aopen(object, name, H5P_DEFAULT);
    (void)info;
    look(p->v, H5Aget_type(a), p->object, name);
    return H5Aclose(a);
}

static herr_t on_object(hid_t file, const char *name, const H5O_info_t *info, void *user)
{
    place p = {user, name};
    const hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    if (info->type == H5O_TYPE_DATASET)
        look(p.v, H5Dget_type(object), name, "");
    const herr_t failed = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, on_attribute, &p);
    H5Oclose(object);
    return failed;
}

int main(int argc, char **argv)
{
    int bad = argc < 2;
    for (int i = 1; i < argc; i++) {
        visit v = {.path = argv[i]};
        const hid_t file = H5Fopen(argv[i], H5F_ACC_RDONLY, H5P_DEFAULT);
        if (file < 0 || H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, on_object, &v) < 0)
            return EXIT_FAILURE;
        printf("%s: %d texts, %d of variable length\n", argv[i], v.n_texts, v.n_variable);
        bad |= v.n_variable > 0 || v.n_texts == 0;
        H5Fclose(file);
    }
    return bad;
}
