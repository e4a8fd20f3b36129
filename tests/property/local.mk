# tests/property
