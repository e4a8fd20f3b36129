#!/usr/bin/env python3
"""json_get.py FILE PATH: one value of a JSON file, for example recovery.teff.r2 or spectra.0.chi2"""
import json
import sys

value = json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."):
    value = value[int(key)] if isinstance(value, list) else value[key]
print(value)
