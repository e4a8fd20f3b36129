#!/usr/bin/env python3
"""exact_compare.py summary INFER.json [INFO.json]: how far stars climbed; with the model's `anpe info --json`
stars of which a median is within 1 sd of a bound of its label apart.
exact_compare.py chains INFER.json CHAINS: largest differences from long chains."""
import collections
import json
import statistics
import sys

infer = json.load(open(sys.argv[2]))
stars = [s for s in infer["spectra"] if "exact" in s]


def quantile(values, p):
    ordered = sorted(values)
    return ordered[round(p * (len(ordered) - 1))]


def summary(stars, what=""):
    exact = [s["exact"] for s in stars]
    print(f"figure {what}exact", sum(e["exact"] for e in exact))
    print(f"figure {what}stars", len(exact))
    print(f"figure {what}rungs", dict(collections.Counter(e["rung"] for e in exact)))
    for key in ("proposal_efficiency", "efficiency", "khat", "ess", "n_evaluations", "log_evidence_err"):
        v = [e[key] for e in exact if e[key] is not None]
        if v:
            print(f"figure {what}{key} median {statistics.median(v):.3g} 10 % {quantile(v, 0.1):.3g} "
                  f"90 % {quantile(v, 0.9):.3g} least {min(v):.3g} most {max(v):.3g}")
    for s in stars:
        if not s["exact"]["exact"]:
            print("not exact:", s["id"], s["exact"]["reason"])


def leans(star, labels):
    for label in labels:
        value = star["labels"][label["name"]]
        sides = [abs(value["median"] - label[side]) for side in ("min", "max") if label[side] is not None]
        if sides and min(sides) < value["sd"]:
            return True
    return False


if sys.argv[1] == "summary":
    if len(sys.argv) > 3:
        labels = json.load(open(sys.argv[3]))["labels"]
        summary([s for s in stars if leans(s, labels)], "lean_")
    summary(stars)
    print("figure seconds_a_star", round(infer["seconds"] / len(infer["spectra"]), 4))
    print("figure stars_a_second", round(len(infer["spectra"]) / infer["seconds"], 2))
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
