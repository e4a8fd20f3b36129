# plugins/flow/maf
