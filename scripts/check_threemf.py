#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds 3MF files of ours against other programs and prints a Markdown table; ends with 1 where one has something to say.

    scripts/check_threemf.py [--node FOLDER] FILE.3mf..

Asked are xmllint with the schemas of tests/print/threemf, PrusaSlicer for closed surfaces, and three.js, which scripts/node_packages.sh
brought into FOLDER. A program that is not installed is left out, and its column says so.
"""
import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMAS = os.path.join(HERE, os.pardir, "tests", "print", "threemf")
PARTS = {"3D/3dmodel.model": "model.xsd", "[Content_Types].xml": "types.xsd", "_rels/.rels": "relations.xsd",
         "Metadata/Slic3r_PE_model.config": "prusa.xsd", "Metadata/model_settings.config": "orca.xsd"}
NODE_MOST = 64 << 20  # bytes of XML: three.js keeps a tree of it


def run(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, check=False)


def objects_of(model):
    """Triangles of each object, counted as text."""
    return [part.count(b"<triangle ") for part in model.split(b"<object ")[1:]]


def ask_xmllint(archive):
    if not shutil.which("xmllint"):
        return "not here"
    with tempfile.TemporaryDirectory() as folder:
        for part, schema in PARTS.items():
            path = os.path.join(folder, "part.xml")
            with open(path, "wb") as f:
                f.write(archive.read(part))
            done = run(["xmllint", "--huge", "--nonet", "--noout", "--schema", os.path.join(SCHEMAS, schema), path])
            if done.returncode:
                return f"{part}: {done.stderr.decode(errors='replace').splitlines()[0][:150]}"
    return "ok"


def ask_prusa(path, triangles):
    if not shutil.which("prusa-slicer"):
        return "not here"
    said = run(["prusa-slicer", "--info", path]).stdout.decode(errors="replace")
    found = sorted(int(n) for n in re.findall(r"number_of_facets = +(\d+)", said))
    closed = said.count("manifold = yes")
    if found != sorted(triangles):
        return f"finds {found} triangles"
    return "ok" if closed == len(triangles) else f"{len(triangles) - closed} of {len(triangles)} objects not manifold"


def ask_three(path, triangles, node, size):
    script = os.path.join(node or "", "load_3mf.mjs")
    if not node or not shutil.which("node") or not os.path.exists(script):
        return "not here"
    if size > NODE_MOST:
        return "too large"
    done = run(["node", "--max-old-space-size=6000", script, path])
    try:
        found = [o["triangles"] for o in json.loads(done.stdout)]
    except ValueError:
        return done.stderr.decode(errors="replace").strip()[-150:] or "said nothing"
    return "ok" if found == triangles else f"finds {found} triangles"


def check(path, node):
    with zipfile.ZipFile(path) as archive:
        wrong = archive.testzip()
        if wrong:
            return [0], [f"{wrong} is damaged"] * 3
        model = archive.read("3D/3dmodel.model")
        triangles = objects_of(model)
        return triangles, [ask_xmllint(archive), ask_prusa(path, triangles), ask_three(path, triangles, node, len(model))]


def main():
    p = argparse.ArgumentParser(description="Other programs on 3MF files of ours.")
    p.add_argument("--node", help="folder that scripts/node_packages.sh filled")
    p.add_argument("files", nargs="+")
    args = p.parse_args()
    bad, sums = 0, collections.Counter()
    print("| file | objects | triangles | xmllint | PrusaSlicer | three.js |\n|---|---|---|---|---|---|")
    for path in args.files:
        try:
            triangles, said = check(path, args.node)
        except (OSError, KeyError, zipfile.BadZipFile, subprocess.TimeoutExpired) as e:
            triangles, said = [0], [str(e)[:150]] * 3
        for tool, word in zip(("xmllint", "PrusaSlicer", "three.js"), said):
            sums[tool, word if word in ("ok", "not here", "too large") else "fault"] += 1
        bad += any(word not in ("ok", "not here", "too large") for word in said)
        print(f"| {os.path.basename(path)} | {len(triangles)} | {sum(triangles)} | {' | '.join(said)} |", flush=True)
    print(f"\n{len(args.files)} files: " + "; ".join(f"{tool} {word} {n}" for (tool, word), n in sorted(sums.items())) + ".")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
