/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of commands. Adding one is a row here and a function in a cli_*.c file. */
#include "service/cli.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

static const struct cli_option none[] = {END};
static const struct cli_option up[] = {
    {"--demo", NULL, "one sample order from photo to printed part, live, then end"},
    {"--provider", "ID", "with --demo: the model comes from this provider's simulator"},
    {"--photo", "FILE", "demo: this photo instead of the sample"},
    {"--template", "ID", "demo: product template [figure-80]"},
    {"--keep", NULL, "demo: leave the service up afterwards (also DEMO_KEEP=1)"},
    END};
static const struct cli_option work[] = {
    {"--kinds", "K,..", "only these job kinds [all]; `print` watches and feeds the printers"}, END};
static const struct cli_option photo[] = {
    {"-o", "OUT.png", "write the normalised picture: upright, sRGB, no metadata"},
    {"--cutout", "OUT.png", "write the subject alone, background transparent"},
    END};
static const struct cli_option inspect[] = {
    {"--height", "MM", "size at which it will be printed [as it is; 100 mm longest side]"},
    {"--material", "ID", "material whose limits count [pla]"},
    {"--printer", "ID", "printer whose build volume counts [ender3v3se]"},
    END};
static const struct cli_option prep[] = {
    {"-o", "OUT",
     "the file to write, .3mf or .stl by its name; may be given once more for the other"},
    {"--height", "MM",
     "finished height [as it is when the file has millimetres; else 100 mm longest side]"},
    {"--longest", "MM", "the longest side instead of the height"},
    {"--orient", "HOW", "upright, auto (least support) or keep [upright]"},
    {"--protect-front", NULL, "with --orient auto: no support on the face, never lie on it"},
    {"--flatten", "MM", "how much of the bottom may be cut for a flat foot [0.6]; 0 cuts nothing"},
    {"--max-triangles", "N", "simplify above this count [keep all]"},
    {"--base", "SHAPE", "none, round, square or oval; part of the height [none]"},
    {"--base-height", "MM", "of the base [3]"},
    {"--base-size", "MM", "diameter or side [chosen by the figure's foot and weight]"},
    {"--text", "TEXT", "words on the base; alone it asks for a round one"},
    {"--text-style", "STYLE", "engraved or embossed [engraved]"},
    {"--font", "FILE", "font of the text [DejaVu Sans Bold]"},
    {"--printer", "ID", "printer [ender3v3se]"},
    {"--material", "ID", "material [pla]"},
    {"--process", "ID", "process that the 3MF asks slicers for [figure]"},
    {"--settings", "K=V,..",
     "what it is to have other than the process, in the 3MF: infill_percent, infill_pattern, "
     "wall_count, top_mm, bottom_mm, support=on|off"},
    {"--title", "TEXT", "title in the 3MF [the file's name]"},
    {"--designer", "TEXT", "who made the model"},
    {"--description", "TEXT", "what it is"},
    {"--license", "TEXT", "its licence terms"},
    {"--part-code", "TEXT", "its part number"},
    {"--split-base", NULL, "base and figure side by side, with a peg that fits one way only"},
    {"--hollow", "MM", "hollow with walls of so much [full]"},
    {"--drains", "N", "holes that let resin or powder out of hollows [0]"},
    {"--colours", "N|LIST", "bring the surface to N filaments, or to a list as #ffffff,#c02020"},
    {"--report", "FILE", "write the full report as JSON"},
    {"--pictures", "DIR", "write views, heat maps and a turntable as PNG, and a GLB to look at"},
    END};
static const struct cli_option plate[] = {
    {"-o", "OUT.3mf", "the file to write"},
    {"--printer", "ID", "printer whose bed it is [ender3v3se]"},
    {"--material", "ID", "material [pla]"},
    {"--process", "ID", "process that the 3MF asks slicers for [figure]"},
    {"--copies", "N", "each file so many times [1]"},
    {"--gap", "MM", "at least so much between two objects, brims besides [5]"},
    {"--title", "TEXT", "title in the 3MF [plate]"},
    END};
static const struct cli_option render[] = {
    {"-o", "OUT.png", "the picture to write"},
    {"--size", "WxH", "pixels [640x640]"},
    {"--view", "VIEW", "front, back, left, right, bottom, low or iso [iso]"},
    {"--heat", "MAP", "thin (by --material) or overhang: paint it by what is hard to print"},
    {"--material", "ID", "whose least wall thin is measured by [pla]"},
    {"--ruler", NULL, "with a 10 mm grid and a scale"},
    {"--transparent", NULL, "without background; small ones are sharpened as thumbnails"},
    {"--turntable", "N", "an animated PNG of N frames around it"},
    END};
static const struct cli_option slice[] = {
    {"-o", "OUT.gcode", "the G-code to write"},
    {"--printer", "ID", "printer [what our 3MF was made for, else ender3v3se]"},
    {"--material", "ID", "material [likewise, else pla]"},
    {"--process", "ID", "layers and quality [likewise, else figure]"},
    {"--engine", "ID", "slicing engine: cura or prusa [cura]"},
    {"--second-opinion", NULL, "slice with the other engine too, and compare"},
    END};
static const struct cli_option gcode[] = {
    {"--printer", "ID", "printer it is meant for: bed, speeds, heat, firmware [ender3v3se]"},
    {"--material", "ID", "material: its heat, flow, fan, and grams [not looked at]"},
    {"--process", "ID", "how it was sliced: walls and infill, for --model [not looked at]"},
    {"--model", "FILE", "what was sliced, .3mf or .stl: its height and volume [not looked at]"},
    END};
static const struct cli_option accuracy[] = {
    {"--last", "N", "of the newest so many orders that rest on a quote [200]"}, END};

static const struct cli_option quote[] = {
    {"--template", "ID", "product template [figure-80]"},
    {"--height", "MM", "finished height [the template's]"},
    {"--quantity", "N", "copies [1]"},
    {"--photo-class", "CLASS", "pet, object, adult or child [object]"},
    {"--style", "STYLE", "figure, lithophane, ... [the template's]"},
    {"--material", "ID", "material [the template's]"},
    {"--printer", "ID", "printer [the template's]"},
    {"--process", "ID", "process [the usual one]"},
    {"--model", "FILE", "the model itself: measured instead of guessed"},
    {"--photo", "FILE",
     "the photo: its outline tells, and the built-in maker's figure is measured"},
    {"--slice", NULL, "slice the model or figure, and say what the slice says"},
    {"--save", NULL, "made and kept by the service, for an order to cite"},
    END};

static const struct cli_option order_add[] = {
    {"--template", "ID", "product template, see GET /v1/templates"},
    {"--quantity", "N", "copies wanted [1]"},
    {"--height", "MM", "finished height [the template's]"},
    {"--style", "STYLE", "figure or lithophane [the template's]"},
    {"--name", "TEXT", "name of the item"},
    {"--external-id", "TEXT", "your own order number; unique"},
    {"--photo-class", "CLASS", "pet, object, adult or child [object]"},
    {"--key", "TEXT", "Idempotency-Key: the same key never makes two orders [random]"},
    {"--model", "FILE", "your own model, for templates that take one (own-model)"},
    {"--object", "TEXT", "what is to be made, for templates that are made of words"},
    {"--quote", "ID", "the quote that it rests on: its price binds"},
    END};
static const struct cli_option order_model[] = {
    {"--key", "TEXT", "Idempotency-Key: the same key never enters a model twice [random]"}, END};
static const struct cli_option order_list[] = {{"--limit", "N", "how many [20]"}, END};
static const struct cli_option order_export[] = {{"-o", "DIR", "folder to make"}, END};
static const struct cli_option reason[] = {{"--reason", "TEXT", "why, for the record"}, END};
static const struct cli_option revise[] = {
    {"--reason", "TEXT", "why, for the record"},
    {"--height", "MM", "prepare again at this height"},
    {"--orient", "HOW", "prepare again upright, auto or keep"},
    {"--flatten", "MM", "prepare again with this much of the bottom cut"},
    {"--text", "TEXT", "prepare again with these words on the base"},
    {"--regenerate", NULL, "make a new model instead of preparing this one again"},
    END};
static const struct cli_option printer_add[] = {
    {"--driver", "ID", "octoprint or virtual [octoprint]"},
    {"--url", "URL", "its address, e.g. http://octopi.local"},
    {"--api-key", "KEY", "its API key"},
    {"--class", "ID", "printer profile [ender3v3se]"},
    {"--material", "ID", "what is loaded [pla]"},
    {"--name", "TEXT", "name for people [the id]"},
    END};

static const struct cli_option ledger[] = {{"--day", "DAY", "of this day (UTC), as 2026-11-21"},
                                           {"--order", "ID", "of this order"},
                                           {"--item", "ID", "of this item"},
                                           {"--limit", "N", "how many entries [50]"},
                                           END};
static const struct cli_option canary[] = {
    {"--wait", "S", "seconds that one may take before it counts as failed [1800]"}, END};
static const struct cli_option resolve[] = {
    {"--found", "ID", "the provider has it, under this number: it goes on"},
    {"--aux", "TEXT", "with --found: the second handle, where the number does not tell it (rodin)"},
    {"--not-made", NULL, "the provider never took it: it ends and costs nothing"},
    {"--reason", "TEXT", "why, for the record"},
    END};

static const struct command table[] = {
    {"up", "[--demo]", "everything on this machine: Postgres, HTTP, workers, printers",
     "Without STATUETTE_DATABASE it runs a private Postgres cluster under STATUETTE_VAR, made when "
     "it is\n"
     "not there yet and never run as root. Ctrl-C stops all of it cleanly.\n"
     "Example: statuette up --demo --photo dog.jpg",
     up, 0, 0, cli_up},
    {"serve", "", "the HTTP side alone: API, console, events", "", none, 0, 0, cli_serve},
    {"work", "[--kinds K,..]", "a worker alone; start as many, on as many machines, as wanted", "",
     work, 0, 0, cli_work},
    {"migrate", "", "bring the database to this version's tables", "", none, 0, 0, cli_migrate},
    {"doctor", "", "check slicer, database, folders and sandbox, and say what to do", "", none, 0,
     0, cli_doctor},
    {"config check", "[DIR]", "name every fault in printers, materials, products and the rest",
     "Reads the files of DIR, else of STATUETTE_CONFIG, over the built-in ones. Exit code 5 when "
     "there is\n"
     "a fault: file, place in it, what is wrong and what is allowed.",
     none, 0, 1, cli_config_check},
    {"photo check", "IN [-o OUT.png]", "judge a photo as the service would, and normalise it",
     "Takes JPEG, PNG, WebP and HEIC. Exit code 5 when the photo cannot be used.", photo, 1, 1,
     cli_photo_check},
    {"mesh inspect", "IN", "measure and judge a mesh; the file is never changed", "", inspect, 1, 1,
     cli_mesh_inspect},
    {"mesh prep", "IN -o OUT.3mf|OUT.stl",
     "repair, orient, scale and flatten a mesh; write it printer-ready",
     "Reads GLB, glTF, STL, OBJ, PLY, OFF and 3MF. What is written was read back and measured "
     "again.\n"
     "Exit code 5 and no file when the mesh is rejected.\n"
     "Example: statuette mesh prep dog.glb -o dog.3mf --height 80\n"
     "         statuette mesh prep anna.glb -o anna.3mf --height 90 --base round --text ANNA",
     prep, 1, 1, cli_mesh_prep},
    {"mesh plate", "IN.. -o OUT.3mf", "put several files on one bed, each as an object of its own",
     "Takes 3MF files of mesh prep, whose names, colours and settings stay, and closed meshes of "
     "any format.\n"
     "Exit code 1 and no file when they do not fit; the refusal names the one that found no room.\n"
     "Example: statuette mesh plate anna.3mf dog.3mf -o plate.3mf --copies 2\n"
     "         statuette slice plate.3mf -o plate.gcode",
     plate, 1, 60, cli_mesh_plate},
    {"mesh render", "IN -o OUT.png", "draw a picture of a mesh", "", render, 1, 1, cli_mesh_render},
    {"slice", "IN.3mf|IN.stl -o OUT.gcode", "slice for a printer and check the G-code",
     "The slicer runs as a limited child; exit code 0 means that the G-code passed our own check "
     "too.\n"
     "With --second-opinion exit code 5 when two engines would make things of one model that are "
     "too\n"
     "far apart; the G-code is written all the same.",
     slice, 1, 1, cli_slice},
    {"gcode check", "IN.gcode", "say what is wrong with G-code before a printer finds out",
     "Reads a file of any size once: layers, placeholders left, moves off the bed, heat before "
     "and\n"
     "after, jumps of the filament, flow, commands that have no business in a print, and whether\n"
     "time and filament are what the slicer says. For output of Cura, PrusaSlicer and their like,\n"
     "plain text. Each finding has a code, listed in docs/gcode-check.md, and its first line.\n"
     "Exit code 0 pass, warnings or not; 5 reject.\n"
     "Example: statuette gcode check dog.gcode --printer k2plus --material pla --model dog.3mf",
     gcode, 1, 1, cli_gcode_check},
    {"quote show", "ID", "a quote, and what its order has taken so far", "", none, 1, 1,
     cli_quote_show},
    {"quote report", "[--last N]", "how far estimates were from what orders took",
     "By template, photo class and printer, of orders that rest on a quote: actual over estimated.",
     accuracy, 0, 0, cli_quote_accuracy},
    {"quote settle", "[--last N]", "correct new estimates by what orders took",
     "Where five items or more of a template, photo class and printer were made: their middle, "
     "kept "
     "between\n"
     "a half and two, is a factor of every new quote, and said in it.",
     accuracy, 0, 0, cli_quote_accuracy},
    {"quote", "[--template ID]", "what a figure would cost and take, before there is an order",
     "Needs no service: templates, printers, materials, costs.json and estimates.json are read "
     "here.\n"
     "By photo class and height alone it is rough; with --model, or the photo of a figure of the\n"
     "built-in maker, it is measured; with --slice it is sliced. --save lets the service make and "
     "keep\n"
     "it, so that an order may cite it.\n"
     "Example: statuette quote --template figure-80 --height 100 --photo-class pet --quantity 3",
     quote, 0, 0, cli_quote},
    {"order add", "--template ID [PHOTO..]", "place an order with the running service",
     "Talks to STATUETTE_URL [http://127.0.0.1:8080] with STATUETTE_API_KEY, as all commands below "
     "do.",
     order_add, 0, 8, cli_order_add},
    {"order model", "ITEM FILE", "put a model of your own in the place of a made one",
     "For an item in review or while its model is made; GLB, STL, OBJ, PLY and 3MF. It is "
     "inspected "
     "and\n"
     "prepared like any other.",
     order_model, 2, 2, cli_order_model},
    {"order show", "ID", "an order with its items, photos, models and runs", "", none, 1, 1,
     cli_order_show},
    {"order list", "", "the newest orders", "", order_list, 0, 0, cli_order_list},
    {"order export", "ID -o DIR", "every file of an order, NN_stage by NN_stage", "", order_export,
     1, 1, cli_order_export},
    {"order cancel", "ID", "cancel what is not yet printing", "", reason, 1, 1, cli_order_cancel},
    {"order import", "BATCH.json", "place many orders from one file",
     "BATCH.json: an array of orders as POST /v1/orders takes them; photos are paths beside the "
     "file.\n"
     "Each needs an external_id, which is also its Idempotency-Key: running it again adds only "
     "what is missing.",
     none, 1, 1, cli_order_import},
    {"review next", "", "the review that waits longest, with its findings", "", none, 0, 0,
     cli_review_next},
    {"review pass", "ITEM", "pass the model that is under review", "", reason, 1, 1,
     cli_review_pass},
    {"review revise", "ITEM", "send it back with other options", "", revise, 1, 1,
     cli_review_revise},
    {"review reject", "ITEM", "end the item", "", reason, 1, 1, cli_review_reject},
    {"queue list", "", "runs that wait and runs that print", "", none, 0, 0, cli_queue_list},
    {"queue explain", "", "why each run waits and each printer idles", "", none, 0, 0,
     cli_queue_explain},
    {"run good", "RUN", "the printed part is good", "", reason, 1, 1, cli_run_verdict},
    {"run scrap", "RUN", "the printed part is scrap: it is owed again", "", reason, 1, 1,
     cli_run_verdict},
    {"printer list", "", "printers and what they do", "", none, 0, 0, cli_printer_list},
    {"printer add", "ID --url URL", "add a printer", "", printer_add, 1, 1, cli_printer_add},
    {"printer clear", "ID", "confirm that the bed is clear", "", none, 1, 1, cli_printer_clear},
    {"printer pause", "ID", "pause its print, or take it out of the queue", "", none, 1, 1,
     cli_printer_pause},
    {"printer resume", "ID", "resume its print, or put it back into the queue", "", none, 1, 1,
     cli_printer_resume},
    {"provider list", "", "the image-to-3D providers: state, spend, balance, yield",
     "Spend and balance are as the service knows them; yield, chosen and median are of the last 30 "
     "days.\n"
     "Where no service answers, what is set in this environment is shown.",
     none, 0, 0, cli_provider_list},
    {"provider test", "ID", "check that a provider can be used; costs nothing",
     "Settings, address, TLS, clock, key and balance, as far as the provider has a free question "
     "for it.\n"
     "Exit code 3 when it is off, 5 when the key cannot be one, 6 when it is away or refuses.",
     none, 1, 1, cli_provider_test},
    {"provider ledger", "[--day DAY]", "what was reserved and spent, with sums by provider", "",
     ledger, 0, 0, cli_provider_ledger},
    {"provider resolve", "TASK --found ID | --not-made", "say what became of a task that is lost",
     "A task is lost when its request was sent, the answer never came, and the provider's list "
     "does "
     "not\n"
     "tell. Look for it at the provider: it was made (--found), or it was not (--not-made).\n"
     "Example: statuette provider resolve gen_01kahh3m2fe8k4d6y1p5s9v7bw --found a6f1c2d4",
     resolve, 1, 1, cli_provider_resolve},
    {"provider canary", "[ID]", "the daily test: the sample photo through a provider, measured",
     "Without ID each provider that is on and not built in. It costs what one model costs, and is "
     "made\n"
     "once a day however often this runs. Needs the service's database, its files and a worker.\n"
     "Held against the median of the last seven; exit code 5 when a measure has moved by more than "
     "its\n"
     "limit or no model came of it: the order then waits in review.",
     canary, 0, 1, cli_provider_canary},
    {"man", "", "this program's manual page, made from the same table (man -l)", "", none, 0, 0,
     cli_man},
};

const struct command *command_at(size_t i)
{
    return i < sizeof table / sizeof *table ? &table[i] : NULL;
}
