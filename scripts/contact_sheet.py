#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after of real meshes, side by side on one PNG, drawn by `statuette mesh render`.

    scripts/contact_sheet.py [--folder ai] [--size 300] [--columns 3] [--prepared build/corpus] -o SHEET.png

Looks for FOLDER_NAME.3mf, as scripts/corpus_table.py leaves them, and makes what is missing. Left of each pair: as it came.
"""
import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib


def png_read(path):
    """(width, height, rows of RGB) of an 8-bit PNG without interlace: the kind that we write."""
    with open(path, "rb") as f:
        data = f.read()
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    step = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    if depth != 8:
        raise ValueError("not 8 bits")
    raw, rows, before = zlib.decompress(packed), [], bytearray(width * step)
    for y in range(height):
        kind = raw[y * (width * step + 1)]
        line = bytearray(raw[y * (width * step + 1) + 1:(y + 1) * (width * step + 1)])
        unfilter(kind, line, before, step)
        before = line
        rows.append(to_rgb(line, step))
    return width, height, rows


def unfilter(kind, line, above, step):
    for i in range(len(line)):
        a = line[i - step] if i >= step else 0
        b, c = above[i], above[i - step] if i >= step else 0
        if kind == 1:
            add = a
        elif kind == 2:
            add = b
        elif kind == 3:
            add = (a + b) // 2
        elif kind == 4:
            p = a + b - c
            add = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        else:
            return
        line[i] = (line[i] + add) & 255


def to_rgb(line, step):
    if step == 3:
        return bytes(line)
    if step == 1:
        return bytes(v for v in line for _ in range(3))
    out = bytearray()
    for i in range(0, len(line), step):
        alpha = line[i + step - 1]
        for k in range(3):
            value = line[i + (k if step == 4 else 0)]
            out.append((value * alpha + 255 * (255 - alpha)) // 255)
    return bytes(out)


def png_write(path, width, rows):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows), 9)) + chunk(b"IEND", b""))


def draw(ours, mesh, size, view, into):
    done = subprocess.run([ours, "mesh", "render", mesh, "-o", into, "--size", f"{size}x{size}", "--view", view],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode == 0:
        return png_read(into)[2]
    return [b"\xf0\xd0\xd0" * size] * size  # a red tile: there is nothing to show


def main():
    p = argparse.ArgumentParser(description="Before and after on one PNG.")
    p.add_argument("--ours", default="build/statuette")
    p.add_argument("--folder", default="ai")
    p.add_argument("--prepared", default="build/corpus")
    p.add_argument("--size", type=int, default=300)
    p.add_argument("--columns", type=int, default=3)
    p.add_argument("--view", default="iso")
    p.add_argument("-o", required=True)
    args = p.parse_args()
    base = os.path.join(os.environ.get("STATUETTE_SHARED", "../shared"), "corpus", "meshes", args.folder)
    if not os.path.isdir(base):
        print("The corpus is not beside the project.")
        return 0
    os.makedirs(args.prepared, exist_ok=True)
    pairs = []
    with tempfile.TemporaryDirectory() as work:
        for name in sorted(os.listdir(base)):
            if not re.search(r"\.(glb|gltf|stl|obj|ply|off|3mf)$", name, re.I):
                continue
            made = os.path.join(args.prepared, f"{args.folder}_{name}.3mf")
            if not os.path.exists(made):
                subprocess.run([args.ours, "mesh", "prep", os.path.join(base, name), "-o", made, "--quiet"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            picture = os.path.join(work, "a.png")
            print(f"{len(pairs) + 1}: {name}", flush=True)
            pairs.append((draw(args.ours, os.path.join(base, name), args.size, args.view, picture),
                          draw(args.ours, made, args.size, args.view, picture)))
    gap, blank = 6, b"\xff\xff\xff"
    width = args.columns * (2 * args.size + gap)
    rows = []
    for first in range(0, len(pairs), args.columns):
        line = pairs[first:first + args.columns]
        for y in range(args.size):
            row = b"".join(a[y] + b[y] + blank * gap for a, b in line)
            rows.append(row + blank * (width - len(row) // 3))
        rows += [blank * width] * gap
    png_write(args.o, width, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
