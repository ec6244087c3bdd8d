/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work on hostile bytes, done by ourselves in a confined child: `statuette child ROLE FOLDER`. The
 * parent puts the input into a folder, the child reads it, writes its results beside it, and ends;
 * a failure comes back typed.
 *
 * role     reads in the folder    writes in the folder
 * photo    in                     normal.png cutout.png provider.bin result.json
 * relief   in.png options.json    model.stl result.json (notes)
 * inspect  in options.json        result.json (mesh report)
 * prep     in options.json        out.3mf result.json (mesh report; nothing else when rejected);
 *          mask.png (may be absent) with "stl": out.stl; with "pictures": render_turn.png
 *                                 (animated), render_{front,iso,back,thin,overhang,change}.png,
 *                                 preview.glb
 * render   in options.json        out.png
 * tostl    in (3MF, STL ...)      out.stl: all of it, its box in the middle; with several objects
 *                                 out_1.stl ..: each at its place about the middle of the bed;
 *                                 result.json {"height_mm", "size_mm", "objects": [{"file", "name",
 *                                 "item_id", "part_code", "settings", "size_mm", "volume_mm3"}],
 *                                 "prepared_for": of our own, {"printer", "material", "process",
 *                                 "profile_sha256"}}
 * plate    options.json           out.3mf result.json {"printer", "bed_mm", "objects": [{"name",
 *                                 "triangles", "size_mm", "place_mm", "settings"}]}
 * unpack   in (zip)               out.model result.json {"format", "name"}: the best model in it,
 * GLB before OBJ, STL, PLY; a 3MF is one itself
 *
 * photo's result.json: {"format","width","height","provider_mime","report":{...}}.
 * options.json, all members optional. relief: style, height_mm. photo, inspect, prep, render and
 * tostl: input (an absolute path that is read in place of `in`, before the child is confined), name
 * (a file name, the format's hint). inspect and prep: height_mm, longest_mm, flatten_mm, orient,
 * protect_front, max_triangles, base {shape, height_mm, size_mm, text, text_style, font},
 * split_base, hollow_mm, drains, colours, stl, pictures, limits (as in a template), settings (what
 * its objects have other than the process), labels {title, object_name, order_id, item_id,
 * part_code, version_hash, created, modified, designer, description, copyright, license}.
 * plate: inputs [{input, name, copies}], gap_mm, labels. All: printer, material, process,
 * config_folder.
 * render: width, height, view, heat, material, ruler, transparent, turntable.
 */
#ifndef SERVICE_ROLE_H
#define SERVICE_ROLE_H

#include <stdatomic.h>

#include "base/json.h"

/**
 * Runs a role on a folder and reads its result.json (*result may be NULL; else the caller
 * cJSON_Deletes it). Errors   the child's own typed failure (it leaves error.json); ERR_LIMIT code
 * child_limit when it ran out of time or memory; ERR_INPUT code child_crashed when it died of a
 * signal (a hostile file, then).
 */
int role_run(cJSON **result, const char *role, const char *folder, const atomic_bool *stop,
             struct err *err) MUST_CHECK;

/** Makes an empty folder of our own under settings' work_folder; work_folder_drop removes it with
 * all in it. */
int work_folder_make(char path[700], const char *under, const char *prefix,
                     struct err *err) MUST_CHECK;
void work_folder_drop(const char *path);

/** The entry of `statuette child ROLE FOLDER`; the exit code. */
int role_main(int argc, char **argv);

#endif
