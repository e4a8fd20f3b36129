# tests/unit: lines
