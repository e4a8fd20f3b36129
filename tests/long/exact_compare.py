#!/usr/bin/env python3
"""exact_compare.py summary INFER.json: how far stars climbed.
exact_compare.py chains INFER.json CHAINS: largest differences from long chains."""
import collections
import json
import statistics
import sys

infer = json.load(open(sys.argv[2]))
stars = [s for s in infer["spectra"] if "exact" in s]
if sys.argv[1] == "summary":
    exact = [s["exact"] for s in stars]
    print("figure exact", sum(e["exact"] for e in exact))
    print("figure rungs", dict(collections.Counter(e["rung"] for e in exact)))
    for key in ("proposal_efficiency", "efficiency", "khat", "ess", "n_evaluations", "log_evidence_err"):
        v = [e[key] for e in exact if e[key] is not None]
        if v:
            print(f"figure {key} median {statistics.median(v):.3g} least {min(v):.3g} most {max(v):.3g}")
    for s in stars:
        if not s["exact"]["exact"]:
            print("not exact:", s["id"], s["exact"]["reason"])
    print("figure seconds_a_star", round(infer["seconds"] / len(infer["spectra"]), 3))
else:
    chains = [json.loads(line) for line in open(sys.argv[3])]
    median, sd, squares = 0, 0, []
    for c in chains:
        for label, long_run in c["labels"].items():
            s = stars[c["row"]]["labels"][label]
            shift = (s["median"] - long_run["median"]) / long_run["sd"]
            squares.append(shift**2)
            median = max(median, abs(shift))
            sd = max(sd, abs(s["sd"] / long_run["sd"] - 1))
    print("figure median", round(median, 4))
    print("figure median_rms", round((sum(squares) / len(squares)) ** 0.5, 4))
    print("figure sd", round(sd, 4))
    print("figure chains_rhat", max(c["rhat"] for c in chains), "ess", min(c["ess"] for c in chains),
          "evaluations", statistics.median(c["evaluations"] for c in chains))
