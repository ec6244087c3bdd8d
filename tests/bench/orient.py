#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Support that slicers really make: as given, as others turn it, as `mesh prep` does.

orient.py [--ours PROGRAM] [--peer 'NAME=COMMAND']... [--cache FOLDER] [--jobs N] MESH.stl..

MESH is sound binary STL, in the size it is to be printed (`statuette mesh prep IN -o MESH.stl --orient keep`).
COMMAND is another program's, with {in} and {out} for the STL files; it is the user's to have it. Each way is
sliced with PrusaSlicer (automatic support, 0.2 mm, its own defaults) and with CuraEngine through
`statuette slice`; the G-code's extrusion under the feature types of support is summed.
A slice with the same bytes in the cache is not made again. Prints Markdown.
"""
import argparse
import concurrent.futures
import hashlib
import json
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile

FILAMENT_MM2 = math.pi * 1.75**2 / 4
EXTRUSION = re.compile(r" E(-?[\d.]+)")
SPAN = re.compile(r"(\d+)([dhms])")
SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
ENGINES = ("prusa", "cura")


def read_gcode(path, relative):
    """Plastic extruded while moving, under ;TYPE: lines that begin with SUPPORT, in cm3; the slicer's time."""
    kind, last, total, seconds = "", 0.0, 0.0, math.nan
    with open(path, errors="replace") as lines:
        for line in lines:
            if line.startswith(";TYPE:"):
                kind = line[6:].upper()
            elif line.startswith(";TIME:"):
                seconds = float(line[6:])
            elif line.startswith("; estimated printing time (normal"):
                seconds = sum(int(n) * SECONDS[unit] for n, unit in SPAN.findall(line.split("=")[1]))
            elif line.startswith("M83"):
                relative = True
            elif line.startswith("M82"):
                relative = False
            elif line.startswith(("G0", "G1", "G92")):
                found = EXTRUSION.search(line)
                if not found:
                    continue
                at = float(found.group(1))
                made = at if relative else at - last
                last = at
                moves = " X" in line or " Y" in line
                if not line.startswith("G92") and moves and kind.startswith("SUPPORT"):
                    total += made * FILAMENT_MM2
    return {"support": total / 1000, "seconds": seconds}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()[-300:]


def slice_command(args, engine, stl, gcode):
    if engine == "cura":
        return [args.ours, "slice", stl, "--printer", args.printer, "--material", args.material, "-o", gcode]
    return ["prusa-slicer", "-g", "--support-material", "--support-material-auto", "--layer-height", "0.2",
            "--use-relative-e-distances", "--skirts=0", "--bed-shape", "0x0,300x0,300x300,0x300",
            "--center", "150,150", "-o", gcode, stl]


def sliced(args, engine, stl):
    with open(stl, "rb") as file:
        name = hashlib.sha256(file.read()).hexdigest()[:24]
    kept = os.path.join(args.cache, f"{name}.{engine}.json") if args.cache else None
    if kept and os.path.exists(kept):
        with open(kept) as file:
            return json.load(file)
    with tempfile.TemporaryDirectory() as folder:
        gcode = os.path.join(folder, "out.gcode")
        _, words = run(slice_command(args, engine, stl, gcode))
        if not os.path.exists(gcode):
            print(f"{stl}, {engine}: {words}", file=sys.stderr)
            return {"support": math.nan, "seconds": math.nan}
        made = read_gcode(gcode, engine == "prusa")
    if kept:
        with open(kept, "w") as file:
            json.dump(made, file)
    return made


def prepared(args, mesh, out, *more):
    """As `mesh prep` turns it; the mesh itself where that leaves it standing."""
    report = out + ".json"
    _, words = run([args.ours, "mesh", "prep", mesh, "-o", out, "--orient", "auto", "--flatten", "0",
                    "--report", report, *more])
    if not os.path.exists(out):
        sys.exit(f"{mesh}: {words}")
    with open(report) as file:
        down = json.load(file)["orientations"][0]["down"]
    return out if down[2] > -1 + 1e-9 else mesh


def ways_of(args, mesh, folder):
    """The files to slice, by who turned them."""
    ways = {"as given": mesh}
    for peer in args.peer:
        name, _, command = peer.partition("=")
        out = os.path.join(folder, hashlib.sha256(name.encode()).hexdigest()[:8] + ".stl")
        _, words = run([word.replace("{in}", mesh).replace("{out}", out) for word in shlex.split(command)])
        if os.path.exists(out):
            ways[name] = out
        else:
            print(f"{mesh}, {name}: {words}", file=sys.stderr)
    ways["ours"] = prepared(args, mesh, os.path.join(folder, "ours.stl"))
    if args.front:
        ways["ours, front kept"] = prepared(args, mesh, os.path.join(folder, "front.stl"), "--protect-front")
    return ways


def measure(args, mesh):
    with tempfile.TemporaryDirectory() as folder:
        ways = ways_of(args, os.path.abspath(mesh), folder)
        return {(engine, way): sliced(args, engine, stl) for engine in ENGINES for way, stl in ways.items()}


def cell(made):
    minutes = round(made["seconds"] / 60) if made["seconds"] == made["seconds"] else 0
    return f"{made['support']:.2f}, {minutes // 60}:{minutes % 60:02}"


def above(row, engine, ways):
    """Ours against the best of the others, in per cent."""
    best = min((row[engine, way]["support"] for way in ways if not way.startswith("ours") and (engine, way) in row))
    ours = row[engine, "ours"]["support"]
    return f"{100 * (ours / best - 1):+.0f} %" if best >= 0.005 else "=" if ours < 0.005 else "over"


def write_tables(rows, ways):
    for engine in ENGINES:
        print(f"\n{engine}: support in cm3, printing time in h:mm\n")
        print("| mesh | " + " | ".join(ways) + " | ours against the best of the others |")
        print("|---" * (len(ways) + 2) + "|")
        sums = {way: {"support": 0.0, "seconds": 0.0} for way in ways}
        for name, row in rows:
            cells = [row.get((engine, way), {"support": math.nan, "seconds": math.nan}) for way in ways]
            for way, made in zip(ways, cells):
                for key, value in made.items():
                    if key in sums[way]:
                        sums[way][key] += value
            print(f"| {name} | " + " | ".join(map(cell, cells)) + f" | {above(row, engine, ways)} |")
        total = {(engine, way): sums[way] for way in ways}
        print("| sum | " + " | ".join(cell(sums[way]) for way in ways) + f" | {above(total, engine, ways)} |")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--ours", default="build/statuette")
    options.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    options.add_argument("--front", action="store_true", help="also with --protect-front")
    options.add_argument("--cache", metavar="FOLDER")
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--printer", default="ender3v3se")
    options.add_argument("--material", default="pla")
    options.add_argument("meshes", nargs="+", metavar="MESH")
    args = options.parse_args()
    ways = ["as given"] + [peer.partition("=")[0] for peer in args.peer] + ["ours"]
    ways += ["ours, front kept"] if args.front else []
    rows = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for mesh, row in zip(args.meshes, pool.map(lambda mesh: measure(args, mesh), args.meshes)):
            rows.append((os.path.splitext(os.path.basename(mesh))[0], row))
            print(f"{rows[-1][0]} is measured", file=sys.stderr, flush=True)
    write_tables(rows, ways)


if __name__ == "__main__":
    main()
