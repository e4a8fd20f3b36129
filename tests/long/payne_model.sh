# shellcheck shell=sh
# Sourced by studies of a trained payne.cfg model: sets $model, from the study `payne` unless $MODEL is given.
model=${MODEL:-${ANPE_BUILDDIR:-.}/long/payne/model.h5}
[ -s "$model" ] || skip_all "no model: run the study payne first, or give MODEL=FILE"
