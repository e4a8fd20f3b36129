# zoo: models that are installed, as $(datadir)/anpe/zoo/NAME/VERSION/NAME.h5 with README.md beside it. For
# each model: nobase_dist_instrumentdata_DATA += zoo/NAME/VERSION/NAME.h5 zoo/NAME/VERSION/README.md
