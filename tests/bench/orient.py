#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Support that slicers really make: as given, as `mesh prep --orient auto` turns it, as Tweaker-3 would.

orient.py --ours build/statuette [--tweaker FOLDER] [--printer ID] [--material ID] MESH..

Each mesh is prepared once with --orient keep and once with auto, then sliced with PrusaSlicer (automatic
support, 0.2 mm) and with CuraEngine through `statuette slice`. The G-code's extrusion under the
feature types of support is summed. Prints Markdown; a table row a mesh, sums at the end.
"""
import argparse
import math
import os
import re
import resource
import subprocess
import sys
import tempfile

FILAMENT_MM2 = math.pi * 1.75**2 / 4
EXTRUSION = re.compile(r" E(-?[\d.]+)")


def support_cm3(path, relative):
    """Plastic extruded while moving, under ;TYPE: lines that begin with SUPPORT."""
    kind, last, total = "", 0.0, 0.0
    with open(path, errors="replace") as lines:
        for line in lines:
            if line.startswith(";TYPE:"):
                kind = line[6:].upper()
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
    return total / 1000


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0, (done.stdout + done.stderr).strip()[-200:]


def prusa(stl, gcode, _):
    return run(["prusa-slicer", "-g", "--support-material", "--support-material-auto", "--layer-height", "0.2",
                "--skirts", "0", "--bed-shape", "0x0,300x0,300x300,0x300", "--center", "150,150", "-o", gcode, stl])


def cura(stl, gcode, args):
    return run([args.ours, "slice", stl, "--printer", args.printer, "--material", args.material, "-o", gcode])


def prepare(args, mesh, out, orient):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    good, words = run([args.ours, "mesh", "prep", mesh, "-o", out, "--orient", orient, "--flatten", "0"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not good and not os.path.exists(out):
        sys.exit(f"{mesh}: {words}")
    return after.ru_utime - before.ru_utime


def tweak(args, stl, out):
    run([sys.executable, os.path.join(args.tweaker, "Tweaker.py"), "-i", stl, "-o", out, "-x", "-min", "vol",
         "-t", "binarystl"])
    return os.path.exists(out)


def measure(args, mesh, folder):
    name = os.path.splitext(os.path.basename(mesh))[0]
    ways = {way: os.path.join(folder, way + ".stl") for way in ("as given", "Tweaker-3", "ours")}
    prepare(args, mesh, ways["as given"], "keep")
    seconds = prepare(args, mesh, ways["ours"], "auto")
    if not args.tweaker or not tweak(args, ways["as given"], ways["Tweaker-3"]):
        del ways["Tweaker-3"]
    row = {}
    for engine, slicer in (("prusa", prusa), ("cura", cura)):
        for way, stl in ways.items():
            gcode = os.path.join(folder, "out.gcode")
            good, words = slicer(stl, gcode, args)
            row[engine, way] = support_cm3(gcode, engine == "prusa") if good else math.nan
            if not good:
                print(f"{name}, {way}, {engine}: {words}", file=sys.stderr)
    return name, row, seconds


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--ours", default="build/statuette")
    options.add_argument("--tweaker", help="a checkout of Tweaker-3; needs numpy")
    options.add_argument("--printer", default="ender3v3se")
    options.add_argument("--material", default="pla")
    options.add_argument("meshes", nargs="+", metavar="MESH")
    args = options.parse_args()
    ways = ["as given"] + (["Tweaker-3"] if args.tweaker else []) + ["ours"]
    columns = [(engine, way) for engine in ("prusa", "cura") for way in ways]
    sums = dict.fromkeys(columns, 0.0)
    print("Support in cm3.\n")
    print("| mesh | " + " | ".join(f"{e}: {w}" for e, w in columns) + " | user s |")
    print("|---" * (len(columns) + 2) + "|")
    for mesh in args.meshes:
        with tempfile.TemporaryDirectory() as folder:
            name, row, seconds = measure(args, mesh, folder)
        cells = [row.get(column, math.nan) for column in columns]
        for column, cell in zip(columns, cells):
            sums[column] += cell
        print(f"| {name} | " + " | ".join(f"{cell:.2f}" for cell in cells) + f" | {seconds:.1f} |", flush=True)
    print("| sum | " + " | ".join(f"{sums[column]:.1f}" for column in columns) + " | |")


if __name__ == "__main__":
    main()
