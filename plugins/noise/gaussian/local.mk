# plugins/noise/gaussian
