# instruments/lamost_lrs
