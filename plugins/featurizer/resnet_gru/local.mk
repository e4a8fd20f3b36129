# plugins/featurizer/resnet_gru
