#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `statuette mesh prep` makes of every real mesh file beside the project: a Markdown page on stdout.

    scripts/corpus_table.py [--slice] [--jobs N] [--only WORD] [-o docs/measured.md] > page

The corpus lies in ../shared/corpus or $STATUETTE_SHARED/corpus; STATUETTE_MESHCHECK names an independent checker (FILE --selfint
--weld=exact|f32, JSON on stdout) whose words on the written STL and 3MF go into the table. The written files stay in build/corpus.
"""
import argparse
import concurrent.futures
import csv
import json
import os
import re
import subprocess
import sys
import time

SLOWEST_S = 600
ALWAYS = {"place", "inspect", "measure", "scale", "turn", "flatten", "export and read back", "weld"}


def load(path):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def run(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SLOWEST_S, check=False)
    except subprocess.TimeoutExpired:
        return None


def check(path):
    """The independent checker's words: (watertight and 2-manifold, crossing faces), or None."""
    program = os.environ.get("STATUETTE_MESHCHECK")
    if not program or not os.path.exists(path):
        return None
    done = run([program, path, "--selfint", "--weld=f32"])
    try:
        said = json.loads(done.stdout)
        return bool(said["watertight"] and said["manifold2"]), int(said["selfint_faces"])
    except (AttributeError, ValueError, KeyError):
        return False, -1


def prepare(ours, work, name, path, extra):
    base = os.path.join(work, name.replace("/", "_"))
    for ending in (".stl", ".3mf", ".json"):
        if os.path.exists(base + ending):
            os.remove(base + ending)
    begun = time.monotonic()
    done = run([ours, "mesh", "prep", path, "-o", base + ".3mf", "-o", base + ".stl", "--quiet", "--report", base + ".json"] + extra)
    row = {"name": name, "base": base, "wall": time.monotonic() - begun, "report": load(base + ".json")}
    if done is None:
        row["code"], row["refused"] = -1, "took too long"
    else:
        code = re.findall(rb"\[([a-z_0-9]+)\]\s*$", done.stderr)
        row["code"], row["refused"] = done.returncode, code[-1].decode() if code else ""
    row["stl"], row["3mf"] = check(base + ".stl"), check(base + ".3mf")
    return row


def short(x):
    if x is None:
        return ""
    return "0" if abs(x) < 5e-5 else f"{x:.4f}" if x < 0.01 else f"{x:.3f}" if x < 1 else f"{x:.1f}"


def words(pair):
    return "" if pair is None else f"{'yes' if pair[0] else '**no**'}, {pair[1]}"


def solid_row(row, checked):
    report = row["report"]
    inside, outside = report.get("input") or {}, report.get("output") or {}
    name = row["name"].split("/", 1)[1].rsplit("__", 1)[-1]
    if not report:
        return f"| {name} | refused: {row['refused'] or row['code']} | | | |" + (" | |" if checked else " |") + f" | {row['wall']:.1f} |"
    rungs = [s["name"] for s in report["steps"] if s["changed"] and s["name"] not in ALWAYS]
    head = f"| {name} | {report['verdict']} | {inside.get('triangles', '')} | {outside.get('triangles', '')} | {', '.join(dict.fromkeys(rungs))} | "
    if checked:
        head += f"{words(row['stl'])} | {words(row['3mf'])} | "
    else:
        head += f"{outside.get('watertight', '')}, {outside.get('self_intersections', '')} | "
    return head + f"{short(outside.get('deviation_mean_mm'))} / {short(outside.get('deviation_max_mm'))} | {row['wall']:.1f} |"


def count_lines(rows, folder, checked):
    mine = [r for r in rows if r["name"].startswith(folder + "/")]
    made = [r for r in mine if r["code"] == 0]
    good = [r for r in made if r["stl"] and r["stl"][0] and r["3mf"] and r["3mf"][0]]
    clean = [r for r in good if r["stl"][1] == 0 and r["3mf"][1] == 0]
    verdicts = [r["report"].get("verdict", "refused") for r in mine]
    far = [r for r in made if (r["report"]["output"] or {}).get("deviation_mean_mm", 0) > 0.01]
    line = (f"| {folder} | {len(mine)} | {verdicts.count('pass')} | {verdicts.count('revise')} | {verdicts.count('reject')} | "
            f"{verdicts.count('refused')} | ")
    line += f"{len(good)} of {len(made)} | {len(clean)} of {len(made)} | " if checked else "| | "
    return line + f"{len(far)} | {sum(r['wall'] for r in mine):.0f} |"


def rejected(rows):
    out = []
    for r in rows:
        if r["report"].get("verdict") == "reject":
            codes = [f["code"] for f in r["report"]["findings"] if f["severity"] == "error"]
            out.append(f"- {r['name'].rsplit('__', 1)[-1]}: {', '.join(codes)}")
        elif not r["report"]:
            out.append(f"- {r['name'].rsplit('__', 1)[-1]}: refused, {r['refused'] or 'code ' + str(r['code'])}")
    return out


def read_counts(ours, root, folder):
    """Conformance and hostile: the manifest's count, or a refusal with a code; anything else is told."""
    tally = {"same": 0, "other": [], "refused": {}, "odd": [], "total": 0}
    with open(os.path.join(root, "manifest.tsv"), encoding="utf-8") as f:
        for entry in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            path = os.path.join(root, entry["path"])
            if entry["category"] != "meshes/" + folder or entry["format"] not in ("glb", "gltf", "obj", "stl", "ply", "off", "3mf"):
                continue
            tally["total"] += 1
            name = os.path.basename(path).rsplit("__", 1)[-1]
            done = run([ours, "mesh", "inspect", path, "--json"])
            try:
                found = json.loads(done.stdout)["input"]
                count = found["triangles"] + found["degenerate"]
            except (AttributeError, ValueError, KeyError, TypeError):
                code = re.findall(rb"\[([a-z_0-9]+)\]\s*$", done.stderr) if done else []
                if code:
                    tally["refused"].setdefault(code[-1].decode(), []).append((name, entry["triangles"]))
                else:
                    tally["odd"].append(f"{name}: {'too long' if not done else done.returncode}")
                continue
            if str(count) == entry["triangles"]:
                tally["same"] += 1
            else:
                tally["other"].append(f"{name}: {count} read, {entry['triangles'] or 'none'} listed")
    return tally


def slice_all(ours, rows):
    """Both slicers over every written file: error lines of each."""
    out = {"CuraEngine, 3MF": [0, 0, []], "PrusaSlicer, 3MF": [0, 0, []], "PrusaSlicer, STL": [0, 0, []]}
    for r in rows:
        if r["code"] != 0:
            continue
        gcode = r["base"] + ".gcode"
        for key, command in (
                ("CuraEngine, 3MF", [ours, "slice", r["base"] + ".3mf", "--printer", "ender3v3se", "--material", "pla", "-o", gcode]),
                ("PrusaSlicer, 3MF", ["prusa-slicer", "-g", "--support-material", "--bed-shape", "0x0,400x0,400x400,0x400", "-o", gcode, r["base"] + ".3mf"]),
                ("PrusaSlicer, STL", ["prusa-slicer", "-g", "--support-material", "--bed-shape", "0x0,400x0,400x400,0x400", "-o", gcode, r["base"] + ".stl"])):
            if os.path.exists(gcode):
                os.remove(gcode)
            done = run(command)
            text = (done.stdout + done.stderr).decode("utf-8", "replace") if done else "error: too long"
            errors = [line for line in text.splitlines() if re.search(r"\b(error|failed|repair)", line, re.I)]
            if not os.path.exists(gcode) and not errors:
                errors = ["no G-code: " + text.strip().splitlines()[-1][:100] if text.strip() else "no G-code"]
            out[key][0] += 1
            out[key][1] += len(errors)
            out[key][2] += [f"{r['name'].rsplit('__', 1)[-1]}: {errors[0][:140]}"] if errors else []
    return out


def main():
    p = argparse.ArgumentParser(description="Every real mesh file through mesh prep, as a Markdown page.")
    p.add_argument("--ours", default="build/statuette")
    p.add_argument("--work", default="build/corpus")
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("--only", default="")
    p.add_argument("--folders", default="ai,figurine,broken")
    p.add_argument("--slice", action="store_true", help="slice what was written, too")
    p.add_argument("--skip-reading", action="store_true", help="leave out the conformance and hostile folders")
    p.add_argument("--flatten", default="0", help="0 keeps the bottom, so that the deviation is the repair's alone")
    args = p.parse_args()
    root = os.path.join(os.environ.get("STATUETTE_SHARED", "../shared"), "corpus")
    if not os.path.isdir(root):
        print("The corpus is not beside the project.")
        return 0
    os.makedirs(args.work, exist_ok=True)
    checked = bool(os.environ.get("STATUETTE_MESHCHECK"))
    jobs = []
    for folder in args.folders.split(","):
        for name in sorted(os.listdir(os.path.join(root, "meshes", folder))):
            if re.search(r"\.(glb|gltf|stl|obj|ply|off|3mf)$", name, re.I) and args.only in name:
                jobs.append((f"{folder}/{name}", os.path.join(root, "meshes", folder, name)))
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        rows = list(pool.map(lambda j: prepare(args.ours, args.work, j[0], j[1], ["--flatten", args.flatten]), jobs))
    print("# Every real file, measured\n")
    print(f"Made by scripts/corpus_table.py: `statuette mesh prep FILE -o X.3mf -o X.stl --flatten {args.flatten}`, 100 mm on the longest side, "
          f"{args.jobs} at a time. Deviation is the report's, from the visible input surface to the output in mm.")
    print("`closed, crossing`: watertight and 2-manifold by " +
          ("an independent checker on the file as written (floats, equal corners welded), and its count of crossing faces.\n"
           if checked else "our own report, and its count of crossing triangles.\n"))
    print("| folder | files | pass | revise | reject | refused | closed and 2-manifold | and no crossing | mean deviation over 0.01 mm | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for folder in args.folders.split(","):
        print(count_lines(rows, folder, checked))
    for folder in args.folders.split(","):
        print(f"\n## {folder}\n")
        print("| file | verdict | triangles in | out | rungs that changed something | " +
              ("STL: closed, crossing | 3MF: closed, crossing" if checked else "closed, crossing") + " | deviation mean / max | s |")
        print("|---|---|---|---|---|---|---|---|" + ("---|" if checked else ""))
        for row in rows:
            if row["name"].startswith(folder + "/"):
                print(solid_row(row, checked))
    print("\n## Rejected or refused\n")
    print("\n".join(rejected(rows)) or "None.")
    if not args.skip_reading:
        print("\n## Conformance and hostile files: triangles read against those listed, or a refusal with a code\n")
        for folder in ("conformance", "hostile"):
            t = read_counts(args.ours, root, folder)
            print(f"{folder}: {t['total']} files, {t['same']} with the listed count, {len(t['other'])} with another, "
                  f"{sum(map(len, t['refused'].values()))} refused by code, {len(t['odd'])} neither.\n")
            for code, names in sorted(t["refused"].items()):
                print(f"- {code}: {len(names)}")
            for line in t["other"] + t["odd"]:
                print(f"- {line}")
            print()
    if args.slice:
        print("## Sliced\n")
        print("| slicer and file | files | error lines |\n|---|---|---|")
        found = slice_all(args.ours, rows)
        for key, (files, errors, _) in found.items():
            print(f"| {key} | {files} | {errors} |")
        print()
        for key, (_, _, lines) in found.items():
            for line in lines:
                print(f"- {key}: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
