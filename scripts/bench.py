#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ours and its peers on the same files in one run, and ours against what the machine itself needs.

Called by `make bench`. Every input becomes one binary STL, 100 mm long, that all tools get; every output is judged by
tests/bench/judge.c and, when STATUETTE_MESHCHECK names an independent checker, by that too. Prints Markdown; the same
text and all numbers as JSON stay in the work folder.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

KINDS = ["figure", "knot", "holes", "seams", "soup", "inner", "leak", "debris", "kitbash", "fins", "cape", "all"]
SLOWEST_S = 300
LOST_MM = 5.0
PAYLOAD = 36  # bytes of a triangle: three corners of three floats


class Bench:
    def __init__(self, args):
        self.args = args
        self.work = args.work
        self.check = os.environ.get("STATUETTE_MESHCHECK")
        os.makedirs(self.work, exist_ok=True)
        self.lines = []

    def tool(self, name):
        return os.path.join(self.args.tools, name)

    def path(self, name):
        return os.path.join(self.work, name)

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def clocked(self, command):
        """The cost of a command with its children: code, wall, user, system, peak_mb."""
        cost = self.path("cost.json")
        if os.path.exists(cost):
            os.remove(cost)
        done = subprocess.run([self.tool("clocked"), cost, str(SLOWEST_S)] + command,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        spent = read_json(cost) or {"code": -1, "wall": 0, "user": 0, "system": 0, "peak_mb": 0}
        spent["said"] = done.stderr.decode("utf-8", "replace").strip()[-200:] if spent["code"] else ""
        return spent

    def judge(self, before, after):
        if not os.path.exists(after) or os.path.getsize(after) < 134:
            return None
        said = run_json([self.tool("judge"), before, after])
        if not said or "error" in said:
            return None
        if self.check:
            other = run_json([self.check, after, "--selfint", "--weld=f32"]) or {}
            said["other"] = {"manifold": bool(other.get("watertight") and other.get("manifold2")),
                             "crossings": other.get("selfint_faces", -1)}
        return said


def read_json(path):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def run_json(command):
    try:
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=600, check=False)
        return json.loads(out.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def peers(b):
    """name -> function(in, out) that gives the command; only what is there."""
    found = {"ours": lambda i, o: [b.args.ours, "mesh", "prep", i, "-o", o, "--orient", "keep", "--flatten", "0",
                                   "--report", b.path("report.json")]}
    rows = [
        ("admesh", "admesh", lambda i, o: ["admesh", "-fundev", "-b", o, i]),
        ("prusa-slicer --repair", "prusa-slicer", lambda i, o: ["prusa-slicer", "--repair", "--export-stl", "-o", o, i]),
        ("CGAL PMP", b.tool("peers/cgal_peer"), lambda i, o: [b.tool("peers/cgal_peer"), "pmp", i, o]),
        ("CGAL alpha wrap 1/100", b.tool("peers/cgal_peer"), lambda i, o: [b.tool("peers/cgal_peer"), "wrap", i, o]),
        ("OpenVDB flood fill 0.35 mm", b.tool("peers/openvdb_peer"),
         lambda i, o: [b.tool("peers/openvdb_peer"), "0.35", i, o]),
    ]
    for name, program, command in rows:
        if b.args.without and b.args.without in name:
            continue
        if shutil.which(program):
            found[name] = command
        else:
            b.say(f"left out: {name}, which is not here")
    return found


def corpus_files(b):
    root = os.path.join(os.environ.get("STATUETTE_SHARED", "../shared"), "corpus", "meshes")
    files = []
    for folder in ("ai", "figurine", "broken"):
        base = os.path.join(root, folder)
        for name in sorted(os.listdir(base)) if os.path.isdir(base) else []:
            path = os.path.join(base, name)
            size = os.path.getsize(path)
            if folder != "broken" or (size > 150_000 and b.args.full):
                files.append((f"{folder}/{name.rsplit('__', 1)[-1]}", path))
    if not files:
        b.say("The corpus is not beside the project: made meshes only.")
    return files


def inputs(b):
    """(label, STL) of everything, made or converted now."""
    found = []
    for triangles in (60_000, 400_000) if b.args.full else (60_000,):
        for kind in KINDS:
            stl = b.path(f"{kind}_{triangles}.stl")
            subprocess.run([b.tool("make_meshes"), kind, str(triangles), b.path("made.stl")], check=True)
            subprocess.run([b.tool("to_stl"), b.path("made.stl"), stl], check=True)
            found.append((f"{kind} {triangles // 1000} k", stl))
    for label, path in corpus_files(b):
        stl = b.path(label.replace("/", "_") + ".stl")
        if subprocess.run([b.tool("to_stl"), path, stl], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            found.append((label, stl))
    return [(label, stl) for label, stl in found if b.args.only in label]


def yes(flag):
    return "yes" if flag else "**no**"


def number(x):
    return "0" if x == 0 else f"{x:.1g}" if x < 0.01 else f"{x:.2f}" if x < 10 else f"{x:.0f}"


def own_steps(b):
    """Seconds of the report's steps: (preparation, files and pictures, all steps)."""
    steps = (read_json(b.path("report.json")) or {}).get("steps", [])
    out = sum(s["seconds"] for s in steps if "export" in s["name"] or "render" in s["name"])
    return sum(s["seconds"] for s in steps) - out, out, steps


def repair_table(b):
    tools = peers(b)
    rows = []
    b.say("## Repair: each tool on the same STL, 100 mm long\n")
    b.say("| input | triangles | tool | wall s | user s | peak MB | watertight | manifold | crossing pairs | "
          "deviation mean mm | max mm |" + (" other checker |" if b.check else ""))
    b.say("|---|---|---|---|---|---|---|---|---|---|---|" + ("---|" if b.check else ""))
    for label, stl in inputs(b):
        triangles = (os.path.getsize(stl) - 84) // 50
        for name, command in tools.items():
            out = b.path("out.stl")
            for old in (out, b.path("report.json")):
                if os.path.exists(old):
                    os.remove(old)
            cost = b.clocked(command(stl, out))
            said = b.judge(stl, out)
            row = {"input": label, "triangles": triangles, "tool": name, "cost": cost, "judged": said}
            if name == "ours":
                row["preparation"] = own_steps(b)[0]
                row["verdict"] = (read_json(b.path("report.json")) or {}).get("verdict", "refused")
            rows.append(row)
            head = f"| {label} | {triangles} | {name} | {cost['wall']:.2f} | {cost['user']:.2f} | {cost['peak_mb']:.0f} | "
            if not said:
                why = row.get("verdict", cost["said"][-60:]) or ("time over" if cost["wall"] > SLOWEST_S - 1 else "nothing")
                b.say(head + f"{why} | | | | |" + (" |" if b.check else ""))
                continue
            other = said.get("other")
            b.say(head + f"{yes(said['watertight'])} | {yes(said['manifold'])} | {said['crossings']} | "
                  f"{number(said['dev_mean'])} | {number(said['dev_max'])} |" +
                  (f" {'W' if other['manifold'] else 'open'}, {other['crossings']} faces cross |" if other else ""))
    return rows


def summary(b, rows):
    names = list(dict.fromkeys(r["tool"] for r in rows))
    ours = {r["input"]: r for r in rows if r["tool"] == "ours"}
    b.say("\n## Counted\n")
    b.say("W: watertight and 2-manifold; clean: and no crossing pair; lost: some visible point is over "
          f"{LOST_MM:.0f} mm from the output; ratios: ours / that tool, median over the inputs; `preparation` leaves out "
          "files, pictures and the child's start.\n")
    b.say("| tool | inputs | W | clean | median s | worst s | user s in all | median deviation mm | lost | "
          "ours: user | ours: wall | ours: preparation |")
    b.say("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name in names:
        mine = [r for r in rows if r["tool"] == name]
        good = [r["judged"] for r in mine if r["judged"]]
        walls = [r["cost"]["wall"] for r in mine]

        def ratio(value, key):
            pairs = [value(ours[r["input"]]) / r["cost"][key] for r in mine if r["cost"][key] > 0]
            return f"{statistics.median(pairs):.2f}" if pairs else "-"
        b.say(f"| {name} | {len(mine)} | {sum(g['manifold'] for g in good)} | "
              f"{sum(g['manifold'] and g['crossings'] == 0 for g in good)} | {statistics.median(walls):.2f} | "
              f"{max(walls):.1f} | {sum(r['cost']['user'] for r in mine):.1f} | "
              f"{number(statistics.median(g['dev_mean'] for g in good)) if good else '-'} | "
              f"{sum(g['dev_max'] > LOST_MM for g in good)} | {ratio(lambda r: r['cost']['user'], 'user')} | "
              f"{ratio(lambda r: r['cost']['wall'], 'wall')} | {ratio(lambda r: r['preparation'], 'wall')} |")


def decimation(b):
    b.say("\n## Decimation of a clean mesh to a fifth\n")
    b.say("| triangles | tool | wall s | user s | left | manifold | crossing pairs | deviation mean mm | max mm |")
    b.say("|---|---|---|---|---|---|---|---|---|")
    rows = []
    for triangles in (200_000, 1_000_000) if b.args.full else (200_000,):
        made, stl, out = b.path("made.stl"), b.path("decimate.stl"), b.path("out.stl")
        subprocess.run([b.tool("make_meshes"), "figure", str(triangles), made], check=True)
        subprocess.run([b.tool("to_stl"), made, stl], check=True)
        few = str(triangles // 5)
        tools = {"ours, whole": [b.args.ours, "mesh", "prep", stl, "-o", out, "--orient", "keep", "--flatten", "0",
                                 "--max-triangles", few, "--report", b.path("report.json")]}
        if shutil.which(b.tool("peers/meshopt_peer")):
            tools["meshoptimizer"] = [b.tool("peers/meshopt_peer"), few, stl, out]
        for name, command in tools.items():
            if os.path.exists(out):
                os.remove(out)
            cost, said = b.clocked(command), b.judge(stl, out)
            rows.append({"tool": name, "triangles": triangles, "cost": cost, "judged": said})
            if not said:
                b.say(f"| {triangles} | {name} | {cost['wall']:.2f} | {cost['user']:.2f} | nothing | | | | |")
                continue
            b.say(f"| {triangles} | {name} | {cost['wall']:.2f} | {cost['user']:.2f} | {said['triangles']} | "
                  f"{yes(said['manifold'])} | {said['crossings']} | {number(said['dev_mean'])} | "
                  f"{number(said['dev_max'])} |")
            if name.startswith("ours"):
                step = [s["seconds"] for s in own_steps(b)[2] if s["name"] == "decimate"]
                b.say(f"| {triangles} | ours, the step alone | {sum(step):.2f} | | | | | | |")
    return rows


LIMIT_PARTS = ("read", "unpack", "weld", "twins", "normals", "deflate")


def limit(b):
    sizes = (10_000, 100_000, 500_000, 1_000_000, 2_000_000)
    rows = []
    for triangles in sizes:
        glb, out = b.path("limit.glb"), b.path("limit.3mf")
        subprocess.run([b.tool("make_meshes"), "figure", str(triangles), glb], check=True)
        cost = b.clocked([b.args.ours, "mesh", "prep", glb, "-o", out, "--report", b.path("report.json")])
        floor = run_json([b.tool("limit"), glb, out])
        if cost["code"] != 0 or not floor:
            b.say(f"{triangles}: ours ended with {cost['code']} {cost['said']}; limit measured: {bool(floor)}\n")
            continue
        rows.append({"triangles": floor["triangles"], "cost": cost, "floor": floor, "steps": own_steps(b)[2]})
    b.say("\n## Clean GLB to verified 3MF against the machine's own limit\n")
    b.say(f"Limit: {', '.join(LIMIT_PARTS)} as plain C on one thread in the same run, in processor seconds; deflate at "
          f"zlib's level 4. Peak is of the largest process; the payload counts {PAYLOAD} bytes a triangle.\n")
    b.say("| triangles | limit s | ours wall s | ours user s | wall / limit | user / limit | us wall a triangle | "
          "peak MB | peak / payload | limit with zlib's fastest s |")
    b.say("|---|---|---|---|---|---|---|---|---|---|")
    for r in rows:
        floor = sum(r["floor"][k] for k in LIMIT_PARTS)
        least = floor - r["floor"]["deflate"] + r["floor"]["deflate_fastest"]
        n, cost = r["triangles"], r["cost"]
        b.say(f"| {n} | {floor:.3f} | {cost['wall']:.2f} | {cost['user']:.2f} | {cost['wall'] / floor:.1f} | "
              f"{cost['user'] / floor:.1f} | {1e6 * cost['wall'] / n:.2f} | {cost['peak_mb']:.0f} | "
              f"{cost['peak_mb'] * 2**20 / (PAYLOAD * n):.1f} | {least:.3f} |")
    for title, get in (("The limit's parts in ms", lambda r: [(k, r["floor"][k]) for k in
                                                              LIMIT_PARTS + ("pack_stl", "deflate_fastest")]),
                       ("Our steps in ms, by the report; `the rest` is start-up of the confined child, reading and handing "
                        "files over", step_times)):
        parts = list(dict.fromkeys(name for r in rows for name, _ in get(r)))
        b.say(f"\n{title}:\n")
        b.say("| triangles | " + " | ".join(parts) + " |")
        b.say("|---" * (len(parts) + 1) + "|")
        for r in rows:
            times = {}
            for name, seconds in get(r):
                times[name] = times.get(name, 0) + seconds
            b.say(f"| {r['triangles']} | " + " | ".join(f"{1000 * times[p]:.0f}" if p in times else "" for p in parts) + " |")
    if rows:
        last = rows[-1]["floor"]
        b.say(f"\nXML {last['xml_bytes'] / 2**20:.1f} MiB for {rows[-1]['triangles']} triangles: zlib's level {last['level']} "
              f"leaves {last['zlib_bytes'] / 2**20:.1f} MiB of it, our writer {last['packed_bytes'] / 2**20:.1f}.")
    return rows


def threemf(b):
    """Writing one ball of bumps as 3MF, against zlib on the very same XML and against lib3mf's own writer and reader."""
    triangles, turns = 1_000_000, 5
    os.environ["OMP_WAIT_POLICY"] = "passive"  # as every child of the service has it: threads that wait do not count
    ours, theirs, xml = b.path("ours.3mf"), b.path("lib3mf.3mf"), b.path("model.xml")
    calls = [("the mesh alone", "mesh", triangles, ours), ("ours, to a file", "ours", triangles, ours),
             ("ours, in memory first", "bytes", triangles, ours), ("lib3mf's writer", "lib3mf", triangles, theirs),
             ("zlib level 1, XML alone", "deflate", 1, xml), ("zlib level 4, XML alone", "deflate", 4, xml),
             ("zlib level 6, XML alone", "deflate", 6, xml), ("ours read again by threemf_verify_plate", "verify", triangles, ours),
             ("ours read again by lib3mf, strict", "strict", triangles, ours)]
    rows = []
    for name, verb, number, path in calls:
        if verb == "deflate" and not os.path.exists(xml):
            run_json([b.tool("threemf"), "xml", "0", ours, xml])
        said = [run_json([b.tool("threemf"), verb, str(number), path]) for _ in range(turns)]
        said = [s for s in said if s]
        if said:
            rows.append({"name": name, "verb": f"{verb} {number}", "user": statistics.median(s["user"] for s in said),
                         "peak_mb": max(s["peak_mb"] for s in said), "bytes": said[0]["bytes"]})
    xml_mb = os.path.getsize(xml) / 2**20 if os.path.exists(xml) else 0
    if os.path.exists(xml):
        os.remove(xml)
    written = next((r["user"] for r in rows if r["verb"].startswith("ours")), None)
    b.say(f"\n## A 3MF of {triangles:,} triangles: writing and reading again\n")
    b.say(f"Each in its own process, median of {turns}; user seconds of the work on all threads, the peak is of the whole process with "
          f"the mesh in it. The XML has {xml_mb:.1f} MiB.\n")
    b.say("| | user s | writing to a file / this | peak MB | MiB made or read |")
    b.say("|---|---|---|---|---|")
    for r in rows:
        ratio = f"{written / r['user']:.2f}" if written and r["user"] > 0 else ""
        b.say(f"| {r['name']} | {r['user']:.3f} | {ratio} | {r['peak_mb']:.1f} | {r['bytes'] / 2**20:.2f} |")
    return rows


def step_times(row):
    steps = [(s["name"], s["seconds"]) for s in row["steps"]]
    return steps + [("the rest", row["cost"]["wall"] - sum(s for _, s in steps))]


def gcode_files(b):
    """(engine, long file): a real slice of each engine made as long as wanted."""
    made, stl = b.path("made.stl"), b.path("gcode.stl")
    subprocess.run([b.tool("make_meshes"), "figure", "100000", made], check=True)
    subprocess.run([b.tool("to_stl"), made, stl], check=True)
    for engine in ("cura", "prusa"):
        part, whole = b.path("part.gcode"), b.path(f"long_{engine}.gcode")
        cost = b.clocked([b.args.ours, "slice", stl, "-o", part, "--engine", engine])
        if cost["code"]:
            b.say(f"left out: {engine}, which ended with {cost['code']} {cost['said']}\n")
            continue
        subprocess.run([b.tool("long_gcode"), part, whole, str(b.args.gcode_mb * 10**6)], check=True)
        yield engine, whole
        os.remove(whole)


def gcode(b):
    b.say("\n## The G-code check against the least that any reader costs\n")
    b.say("A real slice of each engine, every layer printed again and again with other coordinates; all in processor seconds, user and "
          "system, on one thread. `read` is read(2) alone, `lines` finds line ends too (memchr).\n")
    b.say("| engine | MB | M lines | read s | lines s | check s | check MB/s | check / lines | peak MB | verdict |")
    b.say("|---|---|---|---|---|---|---|---|---|---|")
    rows = []
    for engine, path in gcode_files(b):
        floor = run_json([b.tool("read_limit"), path])
        cost = b.clocked([b.args.ours, "gcode", "check", path, "--material", "pla", "--quiet"])
        spent = cost["user"] + cost["system"]
        rows.append({"engine": engine, "cost": cost, "floor": floor})
        b.say(f"| {engine} | {floor['bytes'] / 1e6:.0f} | {floor['lines'] / 1e6:.1f} | {floor['read']:.2f} | "
              f"{floor['lines_s']:.2f} | {spent:.2f} | {floor['bytes'] / 1e6 / spent:.0f} | {spent / floor['lines_s']:.1f} | "
              f"{cost['peak_mb']:.1f} | {'pass' if cost['code'] == 0 else 'reject'} |")
    return rows


def main():
    p = argparse.ArgumentParser(description="Ours and its peers on the same files.")
    p.add_argument("--tools", default="build/obj-release/tests/bench")
    p.add_argument("--ours", default="build/statuette")
    p.add_argument("--work", default="build/bench")
    p.add_argument("--full", action="store_true", help="also 400 k and 1 M meshes and the larger broken files")
    p.add_argument("--only", default="", help="inputs whose name has this word")
    p.add_argument("--without", default="", help="leave out the peers whose name has this word")
    p.add_argument("--part", choices=["repair", "decimate", "limit", "threemf", "gcode"], help="one part of it")
    p.add_argument("--gcode-mb", type=int, default=1000, help="how long the G-code is made")
    b = Bench(p.parse_args())
    b.say("# Bench\n")
    b.say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start: user seconds and ratios are the finding, "
          "wall seconds suffer from whatever else runs.\n")
    part, result = b.args.part, {}
    if part in (None, "repair"):
        result["repair"] = repair_table(b)
        summary(b, result["repair"])
    if part in (None, "decimate"):
        result["decimate"] = decimation(b)
    if part in (None, "limit"):
        result["limit"] = limit(b)
    if part in (None, "threemf"):
        result["threemf"] = threemf(b)
    if part in (None, "gcode"):
        result["gcode"] = gcode(b)
    with open(b.path("bench.json"), "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
    with open(b.path("bench.md"), "w", encoding="utf-8") as f:
        f.write("\n".join(b.lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
