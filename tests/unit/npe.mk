# tests/unit: npe
