# plugins/simulator/lines
