/* make_sets FILE NAME=ROWSxCOLUMNS[,chunk=ROWSxCOLUMNS][,gzip][,empty]...: an HDF5 file of float
 * datasets with values in [-0.9, 0.9], or (empty) with nothing stored, only declared. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 };

static float value(unsigned long long i)
{
    return (float)(i * 2654435761u % 1801u) / 1000 - 0.9f;
}

/* In runs of whole rows, so that a big dataset needs no big array. */
static int fill(hid_t set, hsize_t rows, hsize_t columns)
{
    const hsize_t most = columns < BLOCK ? BLOCK / columns : 1;
    float *v = malloc((size_t)(most * columns) * sizeof *v);
    int ok = v != NULL;
    for (hsize_t first = 0; ok && first < rows; first += most) {
        const hsize_t n = rows - first < most ? rows - first : most;
        const hsize_t from[2] = {first, 0}, count[2] = {n, columns};
        for (hsize_t i = 0; i < n * columns; i++)
            v[i] = value(first * columns + i);
        hid_t file = H5Dget_space(set), memory = H5Screate_simple(2, count, NULL);
        ok = H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, count, NULL) >= 0 &&
             H5Dwrite(set, H5T_NATIVE_FLOAT, memory, file, H5P_DEFAULT, v) >= 0;
        H5Sclose(memory);
        H5Sclose(file);
    }
    free(v);
    return ok;
}

static int make(hid_t file, const char *spec)
{
    char name[64];
    hsize_t dims[2], chunk[2];
    unsigned long long a, b;
    if (sscanf(spec, "%63[^=]=%llux%llu", name, &a, &b) != 3)
        return 0;
    dims[0] = a;
    dims[1] = b;
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    const char *at = strstr(spec, "chunk=");
    if (at && sscanf(at, "chunk=%llux%llu", &a, &b) == 2) {
        chunk[0] = a;
        chunk[1] = b;
        H5Pset_chunk(dcpl, 2, chunk);
    }
    if (strstr(spec, "gzip"))
        H5Pset_deflate(dcpl, 4);
    hid_t set = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    const int ok = set >= 0 && (strstr(spec, "empty") || fill(set, dims[0], dims[1]));
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(dcpl);
    return ok;
}

int main(int argc, char **argv)
{
    hid_t file = argc > 2 ? H5Fcreate(argv[1], H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT) : -1;
    int ok = file >= 0;
    for (int i = 2; ok && i < argc; i++)
        ok = make(file, argv[i]);
    if (!ok || H5Fclose(file) < 0) {
        fprintf(stderr, "usage: %s FILE NAME=ROWSxCOLUMNS[,chunk=RxC][,gzip][,empty]...\n",
                argv[0]);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
