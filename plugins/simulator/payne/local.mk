# plugins/simulator/payne
