# core/kind
