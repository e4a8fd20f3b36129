# zoo: models that are installed, as $(datadir)/anpe/zoo/NAME/VERSION/NAME.h5 with README.md beside it.
nobase_dist_instrumentdata_DATA += zoo/apogee/1.0/apogee.h5 zoo/apogee/1.0/README.md
