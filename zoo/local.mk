# zoo: models that are installed, as $(datadir)/anpe/zoo/NAME/VERSION/NAME.h5 with README.md beside it.
nobase_dist_instrumentdata_DATA += zoo/apogee/1.2/apogee.h5 zoo/apogee/1.2/README.md
nobase_dist_instrumentdata_DATA += zoo/gaia_rvs/1.2/gaia_rvs.h5 zoo/gaia_rvs/1.2/README.md
nobase_dist_instrumentdata_DATA += zoo/galah/1.3/galah.h5 zoo/galah/1.3/README.md
nobase_dist_instrumentdata_DATA += zoo/lamost_lrs/1.2/lamost_lrs.h5 zoo/lamost_lrs/1.2/README.md
nobase_dist_instrumentdata_DATA += zoo/hires/1.2/hires.h5 zoo/hires/1.2/README.md
nobase_dist_instrumentdata_DATA += zoo/mike/1.2/mike.h5 zoo/mike/1.2/README.md
nobase_dist_instrumentdata_DATA += zoo/pepsi/1.2/pepsi.h5 zoo/pepsi/1.2/README.md
