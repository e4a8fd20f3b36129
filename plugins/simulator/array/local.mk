# plugins/simulator/array
