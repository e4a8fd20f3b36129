# plugins/noise/none
