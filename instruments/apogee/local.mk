# instruments/apogee
