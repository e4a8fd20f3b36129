# tests/unit: prior
