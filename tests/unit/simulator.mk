# tests/unit: simulator
