# plugins/featurizer/mlp
