#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every real mesh that passes the preparation, on several printers, with both slicers, twice: a Markdown page on stdout.

    scripts/slice_table.py [--printers ID,..] [--engines ID,..] [--folders F,..] [--verdicts V,..] [--height MM] [--jobs N] [--only WORD] > page

The corpus lies in ../shared/corpus or $STATUETTE_SHARED/corpus. What is written is sliced and checked by `statuette slice`; each job is done
again, and the two files are compared byte for byte. The prepared files stay in build/sliced.
"""
import argparse
import collections
import concurrent.futures
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import time

SLOWEST_S = 1200
FORMATS = ("glb", "gltf", "obj", "stl", "ply", "off", "3mf")


def run(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SLOWEST_S, check=False)
    except subprocess.TimeoutExpired:
        return None


def said(done):
    """The last line of a failure: (code, sentence)."""
    if done is None:
        return "too_long", f"not done after {SLOWEST_S} s"
    lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit {done.returncode}"]
    code = re.search(r"\[([a-z_0-9]+)\]\s*$", lines[-1])
    return code.group(1) if code else f"exit_{done.returncode}", lines[-1][:200]


def prepare(ours, work, entry, root, height):
    name = entry["path"].split("meshes/", 1)[-1]
    base = os.path.join(work, name.replace("/", "_"))
    command = [ours, "mesh", "prep", os.path.join(root, entry["path"]), "-o", base + ".3mf", "--longest", str(height), "--json", "--quiet"]
    done = run(command)
    try:
        report = json.loads(done.stdout)
    except (AttributeError, ValueError):
        report = {}
    made = done is not None and done.returncode == 0 and os.path.exists(base + ".3mf")
    return {"name": name, "short": name.rsplit("__", 1)[-1].rsplit("/", 1)[-1], "base": base, "made": made, "verdict": report.get("verdict", "refused")}


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()


def slice_twice(ours, row, printer, engine):
    out = f"{row['base']}.{printer}.{engine}.gcode"
    command = [ours, "slice", row["base"] + ".3mf", "--printer", printer, "--engine", engine, "-o", out, "--json", "--quiet"]
    result = {"name": row["name"], "short": row["short"], "printer": printer, "engine": engine, "same": None}
    begun = time.monotonic()
    done = run(command)
    result["wall"] = time.monotonic() - begun
    if done is None or done.returncode != 0:
        result["code"], result["words"] = said(done)
        return result
    result["code"], report = "", json.loads(done.stdout)
    result["time_s"], result["grams"] = report["print_time_s"], report["filament_g"]
    result["warnings"] = [f["code"] for f in report["check"]["findings"] if f.get("severity") == "warning"]
    first = digest(out)
    os.remove(out)
    again = run(command)
    result["same"] = again is not None and again.returncode == 0 and digest(out) == first
    if os.path.exists(out):
        os.remove(out)
    return result


def page(rows, results, printers, engines):
    kept = [r for r in rows if r["made"]]
    print("<!-- SPDX-License-Identifier: GPL-3.0-or-later -->\n# Every real file that passes, sliced\n")
    print("Made by scripts/slice_table.py: each file that `statuette mesh prep` passed, sliced by `statuette slice` on each printer with each\n"
          "engine, its G-code checked, and all of it done a second time to compare the bytes.\n")
    print(f"{len(kept)} files, {len(printers)} printers, {len(engines)} engines: {len(results)} jobs.\n")
    print("| engine | printer | jobs | G-code that passed its check | same bytes again | refused | print hours in all | kg in all |\n|---|---|---|---|---|---|---|---|")
    for engine in engines:
        for printer in printers:
            mine = [r for r in results if r["engine"] == engine and r["printer"] == printer]
            good = [r for r in mine if not r["code"]]
            print(f"| {engine} | {printer} | {len(mine)} | {len(good)} | {sum(bool(r['same']) for r in good)} of {len(good)} | {len(mine) - len(good)} | "
                  f"{sum(r['time_s'] for r in good) / 3600:.1f} | {sum(r['grams'] for r in good) / 1000:.2f} |")
    groups = collections.defaultdict(list)
    for r in results:
        if r["code"]:
            groups[(r["name"], r["engine"], r["code"])].append(r)
    print("\n## Refused\n")
    print("| file | engine | printers | code | what was said |\n|---|---|---|---|---|")
    for (_, engine, code), mine in sorted(groups.items()):
        words = mine[0]["words"].replace("|", "/")
        print(f"| {mine[0]['short']} | {engine} | {', '.join(sorted(r['printer'] for r in mine))} | {code} | {words} |")
    other = [f"{r['short']} ({r['engine']}, {r['printer']})" for r in results if not r["code"] and not r["same"]]
    print(f"\nOther bytes the second time: {', '.join(other) or 'none'}.")
    warned = collections.Counter((code, r["engine"]) for r in results if not r["code"] for code in r["warnings"])
    print("\n## Warnings of the check\n\n| code | engine | jobs |\n|---|---|---|")
    for (code, engine), count in sorted(warned.items()):
        print(f"| {code} | {engine} | {count} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--printers", default="ender3v3se,ender3v3ke,k2plus")
    parser.add_argument("--engines", default="cura,prusa")
    parser.add_argument("--folders", default="ai,figurine,broken,conformance,hostile")
    parser.add_argument("--verdicts", default="pass")
    parser.add_argument("--height", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="")
    a = parser.parse_args()
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    ours = os.environ.get("STATUETTE_PROGRAM", os.path.join(here, "build/statuette"))
    root = os.path.join(os.environ.get("STATUETTE_SHARED", os.path.join(here, "../shared")), "corpus")
    work = os.path.join(here, "build/sliced")
    os.makedirs(work, exist_ok=True)
    folders, printers, engines = a.folders.split(","), a.printers.split(","), a.engines.split(",")
    with open(os.path.join(root, "manifest.tsv"), encoding="utf-8") as f:
        entries = [e for e in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
                   if e["category"].removeprefix("meshes/") in folders and e["format"] in FORMATS and a.only in e["path"]]
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        rows = list(pool.map(lambda e: prepare(ours, work, e, root, a.height), entries))
        rows = [r for r in rows if r["verdict"] in a.verdicts.split(",")]
        jobs = [(r, p, e) for r in rows if r["made"] for e in engines for p in printers]
        results = []
        for i, result in enumerate(pool.map(lambda j: slice_twice(ours, *j), jobs)):
            results.append(result)
            word = result["code"] or ("ok" if result["same"] else "OTHER BYTES")
            print(f"{i + 1}/{len(jobs)} {result['short']} {result['printer']} {result['engine']} {word} {result['wall']:.1f} s", file=sys.stderr)
    page(rows, results, printers, engines)


if __name__ == "__main__":
    main()
