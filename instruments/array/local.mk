# instruments/array: instrument `array`; its noise models are plugins/noise/none and gaussian
