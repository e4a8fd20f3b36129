/* Cholesky's factorisation, row by row. */
#include "base/linear.h"
#include <float.h>
#include <math.h>

int64_t anpe_cholesky(int64_t n, double *a, int64_t stride, double least)
{
    int64_t n_raised = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = a[i * stride + j];
            const double floor = fmax(least * sum, DBL_MIN); /* of the diagonal where i is j */
            for (int64_t k = 0; k < j; k++)
                sum -= a[i * stride + k] * a[j * stride + k];
            if (i > j) {
                a[i * stride + j] = sum / a[j * stride + j];
                continue;
            }
            const int good = sum >= floor && isfinite(sum);
            n_raised += !good;
            a[i * stride + i] = sqrt(good ? sum : floor);
        }
    return n_raised;
}

void anpe_cholesky_forward(int64_t n, const double *l, int64_t stride, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++)
            x[i] -= l[i * stride + k] * x[k];
        x[i] /= l[i * stride + i];
    }
}

void anpe_cholesky_backward(int64_t n, const double *l, int64_t stride, double *x)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < n; k++)
            x[i] -= l[k * stride + i] * x[k];
        x[i] /= l[i * stride + i];
    }
}

void anpe_cholesky_solve(int64_t n, const double *l, int64_t stride, double *x)
{
    anpe_cholesky_forward(n, l, stride, x);
    anpe_cholesky_backward(n, l, stride, x);
}

void anpe_cholesky_invert(int64_t n, double *l, int64_t stride)
{
    for (int64_t j = 0; j < n; j++) {
        l[j * stride + j] = 1 / l[j * stride + j];
        for (int64_t i = j + 1; i < n; i++) {
            double sum = 0;
            for (int64_t k = j; k < i; k++)
                sum -= l[i * stride + k] * l[k * stride + j];
            l[i * stride + j] = sum / l[i * stride + i];
        }
    }
}

double anpe_dot(int64_t n, const float *a, const float *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}
