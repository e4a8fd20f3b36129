# plugins/backend/openblas
