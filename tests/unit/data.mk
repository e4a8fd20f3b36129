# tests/unit: data
