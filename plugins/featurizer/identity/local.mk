# plugins/featurizer/identity
