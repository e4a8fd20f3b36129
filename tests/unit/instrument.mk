# tests/unit: instrument
