/* zoo/cut.h -- what a model says of the machine that it was trained on.
 *
 * A model knows its inputs by absolute path, SHA-256 and option. The path helps where it was
 * trained, and is nobody else's business: a model that is published keeps the file's name, by which
 * (and by its SHA-256) it is found beside the model and among the installed instruments
 * (model/inputs.h). The digest of a model covers its configuration, so the copy has another one. */
#ifndef ANPE_ZOO_CUT_H
#define ANPE_ZOO_CUT_H

#include "zoo/entry.h"

/* Cuts the paths of the inputs of the model at path to their names, in its configuration and in its
 * records, and in the digests of the model and of its validation. The file is written anew, with
 * its seal; a model without such paths stays the same bytes. Its simulator has to be here. */
ANPE_MUST_CHECK anpe_status anpe_zoo_cut_paths(anpe_ctx *ctx, const char *path);

#endif
