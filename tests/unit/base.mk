# tests/unit: base
