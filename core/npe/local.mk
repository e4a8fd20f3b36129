# core/npe
