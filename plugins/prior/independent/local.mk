# plugins/prior/independent
