# zoo: models that are installed, as $(datadir)/anpe/zoo/NAME/VERSION/NAME.h5 with README.md beside it. For
# each model: nobase_dist_instrumentdata_DATA += zoo/NAME/VERSION/NAME.h5 zoo/NAME/VERSION/README.md
# A noise library that it was trained with lies beside it under the name that it had then, its emulator in
# instruments/. tests/cli/test_zoo_shipped.sh looks whether all is here.
