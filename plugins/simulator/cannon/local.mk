# plugins/simulator/cannon
