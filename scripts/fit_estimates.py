#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the numbers of config/estimates.json come from.

    scripts/fit_estimates.py measure --program build/statuette --shared DIR --rows FILE [--jobs N]
    scripts/fit_estimates.py fit --rows FILE [-o config/estimates.json]

`measure` prepares real meshes (and figures of the built-in maker, of real photos) at several heights,
slices each on several printers and processes with the real engine, and appends one JSON object a slice
to FILE; what is there already is not done again. `fit` finds the coefficients by least squares on the
logarithms, leaves each figure out in turn to see how far the others miss it, and prints both.
"""
import argparse
import concurrent.futures
import copy
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np

# What each mesh shows; a bicycle, an armchair and a city count as objects. There is no mesh of a child.
MESHES = [
    ("ai/microsoft_TRELLIS__assets__example_mesh__typical_creature_dragon.obj", "pet"),
    ("ai/microsoft_TRELLIS__assets__example_mesh__typical_creature_furry.obj", "pet"),
    ("ai/microsoft_TRELLIS__assets__example_mesh__typical_creature_robot_crab.obj", "pet"),
    ("figurine/alecjacobson_common-3d-test-models__data__spot.obj", "pet"),
    ("figurine/google_draco__testdata__bun_zipper.ply", "pet"),
    ("figurine/nmwsharp_geometry-central__test__assets__fox.ply", "pet"),
    ("ai/microsoft_TRELLIS__assets__example_mesh__typical_humanoid_block_robot.obj", "person"),
    ("ai/microsoft_TRELLIS__assets__example_mesh__typical_humanoid_goblin.obj", "person"),
    ("ai/VAST-AI-Research_DetailGen3D__assets__model__e799e6b4-3b47-40e0-befb-b156af8758ad.glb", "person"),
    ("ai/VAST-AI-Research_DetailGen3D__assets__model__100.glb", "person"),
    ("ai/AlexHe1234_TRELLIS__sample.glb", "object"),
    ("ai/VAST-AI-Research_DetailGen3D__assets__model__34933195-9c2c-4271-8d31-a28bc5348b7a.glb", "object"),
    ("ai/camenduru_perflow-triposr-hf__output__0__mesh.obj", "object"),
    ("figurine/mikedh_trimesh__models__fandisk.obj", "object"),
    ("figurine/mikedh_trimesh__models__suzanne.ply", "object"),
]
PHOTOS = [
    ("VAST-AI-Research_TripoSR__examples__horse.png", "pet"),
    ("bigcat88_pillow_heif__tests__images__heif_other__pug.heic", "pet"),
    ("image-rs_image__tests__images__jpg__progressive__cat.jpg", "pet"),
    ("microsoft_TRELLIS__assets__example_image__typical_creature_dragon.png", "pet"),
    ("microsoft_TRELLIS__assets__example_image__typical_creature_furry.png", "pet"),
    ("microsoft_TRELLIS__assets__example_multi_image__rabbit_1.png", "pet"),
    ("VAST-AI-Research_TripoSR__examples__tiger_girl.png", "person"),
    ("microsoft_TRELLIS__assets__example_image__typical_humanoid_dwarf.png", "person"),
    ("microsoft_TRELLIS__assets__example_image__typical_humanoid_goblin.png", "person"),
    ("image-rs_image__tests__images__jpg__portrait_2.jpg", "person"),
    ("VAST-AI-Research_DetailGen3D__assets__image__e799e6b4-3b47-40e0-befb-b156af8758ad.png", "person"),
    ("VAST-AI-Research_TripoSR__examples__chair.png", "object"),
    ("VAST-AI-Research_TripoSR__examples__hamburger.png", "object"),
    ("microsoft_TRELLIS__assets__example_image__typical_building_mushroom.png", "object"),
    ("microsoft_TRELLIS__assets__example_image__typical_misc_mailbox.png", "object"),
    ("microsoft_TRELLIS__assets__example_image__typical_vehicle_biplane.png", "object"),
]
# What figures are sliced with: (name, printer, material, process, changes of the process, engine).
VARIANTS = [
    ("se", "ender3v3se", "pla", "figure", {}, "cura"),
    ("ke", "ender3v3ke", "pla", "figure", {}, "cura"),
    ("k2", "k2plus", "pla", "figure", {}, "cura"),
    ("se_fine", "ender3v3se", "pla", "figure", {"layer_height_mm": 0.12}, "cura"),
    ("se_draft", "ender3v3se", "pla", "figure", {"layer_height_mm": 0.28}, "cura"),
    ("se_petg", "ender3v3se", "petg", "figure", {}, "cura"),
    ("ke_fine", "ender3v3ke", "pla", "figure", {"layer_height_mm": 0.12}, "cura"),
    ("k2_dense", "k2plus", "pla", "figure", {"infill_percent": 30, "wall_count": 3}, "cura"),
    ("se_solid", "ender3v3se", "pla", "figure", {"infill_percent": 60, "wall_count": 3}, "cura"),
]
# Each figure on one of these once more: a printer of slow parts, so that speed and acceleration can be told apart; other
# firmware, processes and another engine.
SLOW = {
    "speeds_mm_s": {"outer_wall": 25, "inner_wall": 40, "infill": 50, "top_bottom": 25, "support": 40},
    "accelerations_mm_s2": {"normal": 500, "outer_wall": 300},
}
MORE = [
    ("se_slow", "ender3v3se", "pla", "figure", SLOW, "cura"),
    ("marlin", "generic-marlin", "pla", "figure", {}, "cura"),
    ("mk4", "prusa-mk4", "pla", "figure", {}, "prusa"),
    ("klipper_draft", "generic-klipper", "petg", "figure-draft", {}, "cura"),
    ("k2_fine", "k2plus", "hyper-pla", "figure-fine", {}, "cura"),
]
PLATES = [("se_plate", "ender3v3se", "pla", "lithophane", {}, "cura"), ("k2_plate", "k2plus", "pla", "lithophane", {}, "cura")]
MEASURES = ["volume_mm3", "area_mm2", "contact_area_mm2", "support_mm3", "base_area_mm2"]


def run(args, config=None):
    env = dict(os.environ)
    if config:
        env["STATUETTE_CONFIG"] = config
    done = subprocess.run(args, capture_output=True, text=True, env=env)
    if done.returncode:
        raise RuntimeError(" ".join(args[1:3]) + ": " + done.stderr.strip()[-200:])
    return json.loads(done.stdout) if done.stdout.strip() else None


def make_configs(folder):
    """One settings folder a variant: its process with the changes upon the built-in one, and a template of its material."""
    for name, printer, material, process, changes, _ in VARIANTS + MORE + PLATES:
        os.makedirs(f"{folder}/{name}/processes")
        os.makedirs(f"{folder}/{name}/templates")
        if changes:
            with open(f"{folder}/{name}/processes/{process}.json", "w") as file:
                json.dump({"id": process, "name": "changed", "inherits": process, "process": changes}, file)
        template = {"id": "any", "name": "any", "description": "", "provider": {"route": ["relief"], "candidates": 1},
                    "photos": {"min": 1, "max": 1, "needs_subject": False}, "height_mm": {"min": 5, "max": 200, "default": 50},
                    "style": {"allowed": ["figure"], "default": "figure"}, "material": {"allowed": [material], "default": material},
                    "process": {"allowed": [process], "default": process}, "printer_class": printer, "gates": [],
                    "auto_pass": None, "privacy": {"photo_days": 1, "model_days": 1}}
        with open(f"{folder}/{name}/templates/any.json", "w") as file:
            json.dump(template, file)


def jobs_of(shared):
    """(kind, file, class, height, variants): every figure on the first printer, and on others in turn."""
    meshes, photos = os.path.join(shared, "corpus/meshes"), os.path.join(shared, "corpus/photos/real")
    plates = PHOTOS[::4] + PHOTOS[1:4] + PHOTOS[9:10]
    for kind, folder, list_ in (("model", meshes, MESHES), ("relief", photos, PHOTOS)):
        for i, (path, what) in enumerate(list_):
            yield kind, os.path.join(folder, path), what, 70, [MORE[i % len(MORE)]]
    for i, (path, what) in enumerate(plates):
        for height in (60, 100):
            yield "lithophane", os.path.join(photos, path), what, height, [PLATES[(i + height // 60) % 2]]
    turn = 0
    for kind, folder, list_, heights in (("model", meshes, MESHES, (40, 60, 80, 120)), ("relief", photos, PHOTOS, (50, 100)),
                                         ("lithophane", photos, plates, (60, 100))):
        for path, what in list_:
            for height in heights:
                turn += 1
                other = VARIANTS[1 + turn % (len(VARIANTS) - 1)]
                yield kind, os.path.join(folder, path), what, height, [VARIANTS[0], other]


def prepare(program, folder, kind, source, height):
    """The prepared mesh as FOLDER/out.stl; the report of its measures."""
    if kind != "model":
        cutout = f"{folder}/in.png"
        flag = "--cutout" if kind == "relief" else "-o"
        subprocess.run([program, "photo", "check", source, flag, cutout, "--json"], capture_output=True)
        with open(f"{folder}/options.json", "w") as file:
            json.dump({"style": "figure" if kind == "relief" else "lithophane", "height_mm": height}, file)
        done = subprocess.run([program, "child", "relief", folder], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError("relief: " + done.stderr.strip()[-200:])
        source = f"{folder}/model.stl"
    prep = [program, "mesh", "prep", source, "--height", str(height), "--json", "-o"]
    report = run(prep + [f"{folder}/out.stl"])["output"]
    based = run(prep + [f"{folder}/based.stl", "--base", "round", "--base-height", "4"])["output"]
    report["base_area_mm2"] = based["contact_area_mm2"]
    return report


def measure_one(args):
    program, configs, done, (kind, source, what, height, variants) = args
    name = os.path.basename(source)
    todo = [v for v in variants if (kind, name, height, v[0]) not in done]
    rows = []
    if not todo:
        return rows
    with tempfile.TemporaryDirectory() as folder:
        try:
            report = prepare(program, folder, kind, source, height)
        except (RuntimeError, TypeError) as failure:
            print(f"{name} {height}: {failure}", file=sys.stderr)
            return rows
        for variant, printer, material, process, _, engine in todo:
            config, chosen = f"{configs}/{variant}", ["--printer", printer, "--material", material, "--process", process, "--json"]
            try:
                slice_ = run([program, "slice", f"{folder}/out.stl", "-o", f"{folder}/out.gcode", "--engine", engine] + chosen, config)
                settings = settings_of(program, config)
            except RuntimeError as failure:
                print(f"{name} {height} {variant}: {failure}", file=sys.stderr)
                continue
            row = {"kind": kind, "figure": name, "class": what, "height_mm": height, "variant": variant}
            row.update({m: round(report[m], 2) for m in MEASURES})
            row["size_mm"] = [round(x, 2) for x in report["size_mm"]]
            row.update({"time_s": slice_["print_time_s"], "mm3": slice_["filament_g"] / settings["density_g_cm3"] * 1000,
                        "settings": settings})
            rows.append(row)
    return rows


def settings_of(program, config):
    """What of a variant's profile the model looks at, as the program itself merges it."""
    return run([program, "quote", "--template", "any", "--json"], config)["items"][0]["settings"]


def read_rows(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def measure(args):
    done = {(r["kind"], r["figure"], r["height_mm"], r["variant"]) for r in read_rows(args.rows)}
    with tempfile.TemporaryDirectory() as configs, open(args.rows, "a") as out, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        make_configs(configs)
        work = [(args.program, configs, done, job) for job in jobs_of(args.shared)]
        for rows in pool.map(measure_one, work):
            for row in rows:
                out.write(json.dumps(row) + "\n")
                out.flush()


# --- the model: what service/estimate.c computes, with the same names ----------------------------


def takes_filament(shape, s, c):
    """mm3 of shell, infill, support, brim; with the two reaches of `filament` in c."""
    volume, area = shape["volume_mm3"], shape["area_mm2"]
    walls_mm = s["outer_mm"] + (s["walls"] - 1) * s["line_mm"]
    walls = volume * -math.expm1(-c["wall_reach"] * area * walls_mm / volume)
    rest = volume - walls
    skin = rest * -math.expm1(-c["skin_reach"] * area * (s["top_mm"] + s["bottom_mm"]) / 2 / volume)
    infill = (rest - skin) * s["infill"]
    brim = math.sqrt(shape["contact_area_mm2"]) * s["brim_mm"] * s["first_layer_mm"]
    return walls, skin, infill, shape["support_mm3"] if s["support"] else 0.0, brim


def filament_mm3(shape, s, c):
    walls, skin, infill, support, brim = takes_filament(shape, s, c)
    return c["shell"] * (walls + skin) + c["infill"] * infill + c["support"] * support + c["brim"] * brim


TIME_TERMS = ["speed", "wall_corner", "fill_corner", "layer", "support_hop", "wall_hop"]


def time_terms(shape, s, c):
    """Seconds of each kind, and what a layer takes at least."""
    walls, skin, infill, support, _ = takes_filament(shape, s, c)
    line = s["line_mm"] * s["layer_mm"]
    cap = s["max_flow"] / line
    outer = walls / (s["outer_mm"] + (s["walls"] - 1) * s["line_mm"]) / s["layer_mm"]
    inner = outer * (s["walls"] - 1)
    skin, infill, support = skin / line, infill / line, support / line
    layers = shape["height_mm"] / s["layer_mm"]
    terms = [
        outer / min(s["v_outer"], cap) + inner / min(s["v_inner"], cap) + skin / min(s["v_skin"], cap)
        + infill / min(s["v_infill"], cap) + support / min(s["v_support"], cap),
        outer / math.sqrt(s["a_outer"]) + inner / math.sqrt(s["a_normal"]),
        (skin + infill) / math.sqrt(s["a_normal"]),
        layers,
        support * s["hop_s"],
        outer * s["hop_s"],
    ]
    least = min(s["min_layer_s"], (outer + inner + skin + infill + support) / layers / s["min_speed"])
    return terms, layers, least


def normal(z):
    return 0.5 * math.erfc(-z / math.sqrt(2))


def print_time_s(shape, s, c, t):
    """A layer takes at least so long; layers differ, as a log-normal of that spread about their mean."""
    terms, layers, least = time_terms(shape, s, c)
    moving = sum(t[name] * term for name, term in zip(TIME_TERMS, terms))
    spread = t["layer_spread"]
    if least <= 0:
        return moving
    mean = moving / layers / least
    middle = math.log(mean) - spread * spread / 2
    return layers * least * (normal(-middle / spread) + mean * normal((middle + spread * spread) / spread))


# --- fitting -----------------------------------------------------------------------------------


def least_squares(residuals, start):
    """Levenberg-Marquardt on the logarithms of the coefficients: none can become negative."""
    x, damping = np.array(start, float), 1e-2
    e = residuals(x)
    for _ in range(200):
        jacobian = np.array([(residuals(x + step) - e) / 1e-5 for step in np.eye(len(x)) * 1e-5]).T
        normal_matrix = jacobian.T @ jacobian
        step = np.linalg.solve(normal_matrix + damping * (np.diag(np.diag(normal_matrix)) + 1e-9 * np.eye(len(x))),
                               -jacobian.T @ e)
        trial = np.clip(x + step, -12, 4)
        f = residuals(trial)
        if f @ f < e @ e:
            done = e @ e - f @ f < 1e-10
            x, e, damping = trial, f, max(damping / 5, 1e-9)
            if done:
                break
        else:
            damping *= 4
            if damping > 1e9:
                break
    return x


def fit_coefficients(names, start, rows, wanted, predict):
    target = np.log([wanted(r) for r in rows])

    def residuals(x):
        c = dict(zip(names, np.exp(x)))
        return np.array([math.log(predict(r, c)) for r in rows]) - target

    return dict(zip(names, np.exp(least_squares(residuals, np.log(start))).tolist()))


FILAMENT = ["wall_reach", "skin_reach", "shell", "infill", "support", "brim"]


def extruded_mm3(row):
    return row["mm3"]


def fit_takes(rows):
    """(filament, time): the coefficients for known measures."""
    filament = fit_coefficients(FILAMENT, [0.8, 0.3, 1, 0.9, 0.9, 1], rows, extruded_mm3,
                                lambda r, c: filament_mm3(r, r["settings"], c))
    time = fit_coefficients(TIME_TERMS + ["layer_spread"], [0.3, 1.5, 0.2, 0.2, 0.15, 0.2, 0.7], rows,
                            lambda r: r["time_s"], lambda r, t: print_time_s(r, r["settings"], filament, t))
    return filament, time


def fit_shapes(rows):
    """By kind and class: the middle of volume/h^3, area/h^2, support/h^3, contact/h^2 and width/h."""
    shapes = {}
    for kind in sorted({r["kind"] for r in rows}):
        power = 2 if kind == "lithophane" else 3  # a plate grows in two directions
        classes = [] if kind == "lithophane" else sorted({r["class"] for r in rows if r["kind"] == kind})
        for what in classes + ["any"]:
            some = {}
            for r in rows:
                if r["kind"] == kind and what in (r["class"], "any"):
                    some.setdefault(r["figure"], []).append(r)

            def middle(value):
                # a figure counts once, however often it was sliced; 1e-6: some need no support
                each = [np.mean([math.log(max(value(r, r["height_mm"]), 1e-6)) for r in of]) for of in some.values()]
                return float(math.exp(np.mean(each)))

            shapes.setdefault(kind, {})[what] = {
                "volume": middle(lambda r, h: r["volume_mm3"] / h**power), "volume_power": power,
                "area": middle(lambda r, h: r["area_mm2"] / h**2),
                "support": middle(lambda r, h: r["support_mm3"] / h**power),
                "contact": middle(lambda r, h: r["contact_area_mm2"] / h**2),
                "base": middle(lambda r, h: r["base_area_mm2"] / h**2),
                "aspect": middle(lambda r, h: aspect_of(r)), "figures": len(some)}
    return shapes


def aspect_of(row):
    """Width over height, as a photo of it shows."""
    return row["size_mm"][0] / row["size_mm"][2]


def shape_of(shapes, kind, what, height, aspect=None):
    """A figure that is wider than usual is so much deeper, too; a plate is not."""
    of = shapes[kind].get(what) or shapes[kind]["any"]
    wide = aspect / of["aspect"] if aspect else 1
    power = of["volume_power"]
    return {"height_mm": height, "volume_mm3": of["volume"] * height**power * wide ** (power - 1),
            "area_mm2": of["area"] * height**2 * wide, "support_mm3": of["support"] * height**power * wide,
            "contact_area_mm2": of["contact"] * height**2 * wide ** (power - 1)}


def rms(values):
    return math.sqrt(sum(v * v for v in values) / max(1, len(values)))


def left_out(rows):
    """Each figure judged by what all others say: log residuals of time and grams, by what is known of it."""
    errors = []
    for figure in sorted({(r["kind"], r["figure"]) for r in rows}):
        others = [r for r in rows if (r["kind"], r["figure"]) != figure]
        filament, time = fit_takes(others)
        shapes = fit_shapes(others)
        for r in rows:
            if (r["kind"], r["figure"]) != figure:
                continue
            known = {"measures": r, "class": shape_of(shapes, r["kind"], r["class"], r["height_mm"]),
                     "photo": shape_of(shapes, r["kind"], r["class"], r["height_mm"], aspect_of(r))}
            errors.append({"row": r, **{
                how: (math.log(r["time_s"] / print_time_s(shape, r["settings"], filament, time)),
                      math.log(extruded_mm3(r) / filament_mm3(shape, r["settings"], filament)))
                for how, shape in known.items()}})
    return errors


def spread_of(errors, how, among=None):
    """Root mean square; a class of few figures leans on its whole kind, as if by four figures of it."""
    out = {}
    for i, what in enumerate(("time", "grams")):
        own = rms([e[how][i] for e in errors])
        if among:
            figures, rest = len({e["row"]["figure"] for e in errors}), rms([e[how][i] for e in among])
            own = math.sqrt((figures * own**2 + 4 * rest**2) / (figures + 4))
        out[what] = round(own, 4)
    return out


def print_errors(title, errors, how):
    for i, what in enumerate(("time", "grams")):
        e = np.array([x[how][i] for x in errors])
        within = np.mean(e < 1.2816 * rms(e))
        print(f"{title:34} {what:6} {len(errors):4} slices  rms {rms(e):.3f}  median {np.median(np.abs(e)):.3f}"
              f"  worst {np.abs(e).max():.3f}  bias {e.mean():+.3f}  below p90 {within:.0%}")


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def fit(args):
    rows = read_rows(args.rows)
    filament, time = fit_takes(rows)
    shapes = fit_shapes(rows)
    errors = left_out(rows)
    print("each figure left out in turn; log residuals")
    print_errors("measures known", errors, "measures")
    for kind, classes in shapes.items():
        of_kind = [e for e in errors if e["row"]["kind"] == kind]
        print_errors(f"{kind}: measures known", of_kind, "measures")
        for how in ("class", "photo"):
            print_errors(f"{kind}: height and {how}", of_kind, how)
        for what, shape in classes.items():
            some = [e for e in of_kind if what in (e["row"]["class"], "any")]
            shape["spread"] = spread_of(some, "class", of_kind)
            shape["spread_seen"] = spread_of(some, "photo", of_kind)
            print(f"  {what:8} {shape['figures']} figures, spread {shape['spread']}, with the photo's aspect {shape['spread_seen']}")
    print("worst of the measures known")
    for e in sorted(errors, key=lambda e: -abs(e["measures"][0]))[:8]:
        r = e["row"]
        print(f"  {e['measures'][0]:+.3f} {e['measures'][1]:+.3f}  {r['kind']} {r['figure'][-40:]} {r['height_mm']} mm {r['variant']}")
    out = {"slices": len(rows), "figures": shapes, "filament": filament, "time": time,
           "spread": {"measures": spread_of(errors, "measures")}, "examples": []}
    for r in rows[:: max(1, len(rows) // 8)]:
        out["examples"].append({
            "settings": r["settings"],
            "shape": {name: r[name] for name in ["height_mm", "volume_mm3", "area_mm2", "support_mm3", "contact_area_mm2"]},
            "says": {"time_s": print_time_s(r, r["settings"], filament, time), "mm3": filament_mm3(r, r["settings"], filament)},
            "sliced": {"time_s": r["time_s"], "mm3": extruded_mm3(r)}})
    if args.out:
        with open(args.out, "w") as file:
            json.dump(rounded(out), file, indent=2)
            file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("measure")
    one.add_argument("--program", required=True)
    one.add_argument("--shared", required=True)
    one.add_argument("--rows", required=True)
    one.add_argument("--jobs", type=int, default=2)
    two = commands.add_parser("fit")
    two.add_argument("--rows", required=True)
    two.add_argument("-o", dest="out")
    args = parser.parse_args()
    measure(args) if args.command == "measure" else fit(args)


if __name__ == "__main__":
    main()
