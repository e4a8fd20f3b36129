/* plot/plot_list.h -- the plots there are: one row each drives help, messages and dispatch.
 *
 * X(NAME, FILES, WHAT IT SHOWS, most files). core/plot/NAME.c defines anpe_plot_NAME. */
#ifndef ANPE_CORE_PLOT_LIST_H
#define ANPE_CORE_PLOT_LIST_H

#define ANPE_PLOT_LIST(X)                                                                          \
    X(truth, "MODEL | CATALOGUE --compare CATALOGUE", "true labels against posterior medians", 1)  \
    X(spectrum, "FILE", "a survey's spectrum with its errors and bad pixels", 1)                   \
    X(fit, "PREDICTIONS", "best-fit spectrum over the observed one, with residuals", 1)            \
    X(corner, "POSTERIOR [POSTERIOR]", "posterior of one star, a panel per pair of labels", 2)     \
    X(sbc, "MODEL", "histograms of simulation-based calibration ranks", 1)                         \
    X(pit, "MODEL", "distribution of those ranks against a uniform one", 1)                        \
    X(coverage, "MODEL", "how often credible regions hold the truth", 1)                           \
    X(curves, "MODEL", "loss and learning rate over the epochs of training", 1)                    \
    X(report, "MODEL", "all plots of a model in one PDF", 1)
#endif
