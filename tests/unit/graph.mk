# tests/unit: graph
