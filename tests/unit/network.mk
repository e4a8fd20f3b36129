# tests/unit: network
