// SPDX-License-Identifier: GPL-3.0-or-later
// The console: reads the API, draws the lists, follows /v1/events and sends decisions.
// Nothing from outside ever becomes markup: all text goes through textContent.
"use strict";

const $ = (id) => document.getElementById(id);
const state = { reviews: [], printers: [], queue: [], orders: [], older: [], providers: [], providersAt: 0, next: null, open: new Set(), chosen: null };

// ---- building elements ---------------------------------------------------------------------------------------
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") for (const [event, action] of Object.entries(value)) node.addEventListener(event, action);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

const file = (hash) => "/v1/files/" + encodeURIComponent(hash);
const words = (text) => String(text || "").replace(/_/g, " ");
const chip = (text, kind) => el("span", { class: "chip " + (kind || "") }, words(text));

function since(time) {
  const s = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  return s < 60 ? "just now" : s < 3600 ? Math.floor(s / 60) + " min ago"
    : s < 86400 ? Math.floor(s / 3600) + " h ago" : Math.floor(s / 86400) + " d ago";
}

function ago(time) {
  return time ? el("time", { datetime: time, title: new Date(time).toLocaleString(), class: "soft since" }, since(time)) : null;
}

function span(seconds) {
  const minutes = Math.round((seconds || 0) / 60);
  return minutes < 60 ? minutes + " min" : Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
}

// ---- talking to the service ----------------------------------------------------------------------------------
class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || "The service answered " + status);
    this.status = status;
    this.code = problem.code;
  }
}

async function call(method, path, body, headers) {
  const options = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  const who = localStorage.getItem("user");
  if (who) options.headers["Statuette-User"] = who;
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const text = await answer.text();
  let json = {};
  try { json = text ? JSON.parse(text) : {}; } catch { /* not JSON: the status tells */ }
  if (answer.ok) return json;
  if (answer.status === 401 && path !== "/v1/session") askKey();
  throw new Refused(answer.status, json);
}

function toast(text, bad) {
  const node = el("div", { class: "toast" + (bad ? " bad" : "") }, text);
  $("toasts").append(node);
  setTimeout(() => node.remove(), bad ? 9000 : 4000);
}

// Sends a decision; the button rests meanwhile, so that two taps do it once.
async function act(button, done, send) {
  if (button) button.disabled = true;
  try {
    await send();
    if (done) toast(done);
  } catch (why) {
    toast(why.message, true);
  } finally {
    if (button) button.disabled = false;
    refresh();
  }
}

// ---- the one dialog ------------------------------------------------------------------------------------------
function ask(title, ok, fields, kind) {
  const dialog = $("dialog");
  if (dialog.open) return Promise.resolve(null);
  $("dialog-title").textContent = title;
  $("dialog-ok").textContent = ok;
  $("dialog-ok").className = kind || "";
  $("dialog-wrong").textContent = "";
  const inputs = fields.map(fieldOf);
  $("dialog-body").replaceChildren(...inputs.map((one) => one.label));
  dialog.showModal();
  if (inputs[0]) inputs[0].input.focus();
  return new Promise((resolve) => {
    const end = (value) => {
      dialog.onclose = null;
      $("dialog-form").onsubmit = null;
      if (dialog.open) dialog.close();
      resolve(value);
    };
    dialog.onclose = () => end(null);
    $("dialog-cancel").onclick = () => end(null);
    $("dialog-form").onsubmit = (event) => {
      event.preventDefault();
      const values = {};
      for (const { field, input } of inputs) {
        values[field.name] = field.type === "checkbox" ? input.checked : input.value.trim();
        if (field.needed && !values[field.name]) {
          $("dialog-wrong").textContent = field.needed;
          input.focus();
          return;
        }
      }
      end(values);
    };
  });
}

function fieldOf(field) {
  const tag = field.options ? "select" : field.type === "textarea" ? "textarea" : "input";
  const input = el(tag, { name: field.name, type: tag === "input" ? field.type || "text" : null, step: field.step, rows: tag === "textarea" ? 3 : null, autocomplete: field.autocomplete || "off" },
    (field.options || []).map(([value, text]) => el("option", { value }, text)));
  if (field.value !== undefined && field.type !== "checkbox") input.value = field.value;
  const tick = field.type === "checkbox";
  return { field, input, label: el("label", { class: tick ? "tick" : "" }, tick ? [input, field.label] : [field.label, input]) };
}

let asking = false;
async function askKey() {
  if (asking) return;
  asking = true;
  const given = await ask("This service wants its API key", "Open", [{ name: "key", label: "API key", type: "password", needed: "The key is missing." }]);
  asking = false;
  if (!given) return;
  try {
    await call("POST", "/v1/session", { api_key: given.key });
    follow();
    refresh();
  } catch (why) {
    toast(why.message, true);
  }
}

async function askSettings() {
  const given = await ask("Settings", "Keep", [
    { name: "user", label: "Your name, as the log of events shall show it", value: localStorage.getItem("user") || "" },
    { name: "theme", label: "Colours", value: localStorage.getItem("theme") || "", options: [["", "as the system has them"], ["light", "light"], ["dark", "dark"]] },
  ]);
  if (!given) return;
  localStorage.setItem("user", given.user.replace(/[^A-Za-z0-9._@-]/g, "").slice(0, 40));
  localStorage.setItem("theme", given.theme);
  dress();
}

function dress() {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

// ---- lists that keep what did not change ---------------------------------------------------------------------
function draw(id, list, build, nothing, salt) {
  const box = $(id);
  const old = new Map([...box.children].map((node) => [node.dataset.key, node]));
  const nodes = list.map((one) => {
    const seen = JSON.stringify(one) + (salt ? salt(one) : "");
    const before = old.get(one.id);
    if (before && before.seen === seen) return before;
    const node = build(one);
    node.dataset.key = one.id;
    node.seen = seen;
    return node;
  });
  if (!nodes.length) nodes.push(old.get("") || el("p", { class: "empty", "data-key": "" }, nothing));
  if (nodes.length !== box.children.length || nodes.some((node, i) => box.children[i] !== node)) box.replaceChildren(...nodes);
  box.removeAttribute("aria-busy");
}

function count(name, number) {
  const node = $("count-" + name);
  node.textContent = number;
  node.hidden = !number;
}

function picture(hash, caption, className) {
  if (!hash) return null;
  const image = el("img", { src: file(hash), alt: caption });
  return el("figure", { class: className }, el("button", { type: "button", "aria-label": "Enlarge: " + caption, on: { click: () => enlarge(hash, caption) } }, image),
    el("figcaption", {}, caption));
}

function enlarge(hash, caption) {
  $("picture-img").src = file(hash);
  $("picture-img").alt = caption;
  $("picture").showModal();
}

// ---- reviews -------------------------------------------------------------------------------------------------
function findingsOf(item) {
  const found = [];
  for (const photo of item.photos) for (const one of photo.report.findings || []) found.push(one);
  for (const one of (item.model && item.model.report && item.model.report.findings) || []) found.push(one);
  const weight = { error: 0, warning: 1, info: 2 };
  return found.sort((a, b) => (weight[a.severity] ?? 3) - (weight[b.severity] ?? 3));
}

function factsOf(item) {
  const facts = [];
  const made = (item.model && item.model.report && (item.model.report.output || item.model.report.input)) || {};
  const task = item.tasks.find((one) => one.chosen) || item.tasks[item.tasks.length - 1];
  if (made.size_mm) facts.push(["Size", made.size_mm.map((mm) => mm.toFixed(1)).join(" × ") + " mm"]);
  if (made.triangles) facts.push(["Triangles", Number(made.triangles).toLocaleString()]);
  if (made.watertight !== undefined) facts.push(["Watertight", made.watertight ? "yes" : "no"]);
  if (item.options.height_mm) facts.push(["Ordered", item.options.height_mm + " mm high, " + words(item.options.style || "") + ", " + words(item.options.material || "")]);
  if (task) facts.push(["Made by", task.provider + ", round " + item.round]);
  if (item.wanted > 1) facts.push(["Wanted", item.wanted]);
  if (item.notes) facts.push(["Notes", item.notes]);
  return facts;
}

// What was asked of providers for it: shown where there is something to compare, to pay, or to resolve.
const taskKind = { succeeded: "good", failed: "bad", moderated: "bad", expired: "bad", timed_out: "bad", lost: "bad", in_doubt: "warn" };
const rounded = (number) => String(Math.round(number * 100) / 100);

function candidateRow(task) {
  const score = task.score;
  return el("tr", { class: task.chosen ? "chosen" : "" },
    el("td", { class: "num" }, task.round + "." + task.candidate), el("td", {}, task.provider),
    el("td", {}, chip(task.state, taskKind[task.state] || "info"), task.chosen ? " goes on" : "",
      task.error && task.error.message && task.state !== "succeeded" ? el("p", { class: "soft" }, task.error.message) : null),
    el("td", { class: "num" }, task.credits ? rounded(task.credits) : "–"),
    el("td", { class: "num" }, score ? (score.points < 0 ? "unusable" : rounded(score.points)) : "–"),
    el("td", {}, task.result_sha256 ? el("a", { href: file(task.result_sha256), download: "candidate_" + task.round + "_" + task.candidate + "_" + task.provider }, "model") : null,
      task.state === "lost" ? el("button", { type: "button", class: "quiet small", on: { click: (event) => resolveTask(task, event.currentTarget) } }, "Resolve …") : null));
}

function candidates(item) {
  const tasks = item.tasks;
  if (tasks.length < 2 && !tasks.some((task) => task.credits || task.state === "lost")) return null;
  return el("table", { class: "tries" }, el("caption", { class: "soft" }, "Candidates"),
    el("thead", {}, el("tr", {}, ["No.", "Provider", "State", "Credits", "Score", ""].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, tasks.map(candidateRow)));
}

// What slicing the present model gave: while the review waits, and for each class of printers.
const opinionKind = { agree: "good", differ: "warn", far: "bad" };

function opinionOf(one) {
  const second = one.second_opinion, said = second && (second.findings || []).map((finding) => finding.message).filter(Boolean).join("; ");
  return second ? [chip(second.verdict, opinionKind[second.verdict]), said ? el("p", { class: "soft" }, said) : null] : ["–"];
}

function sliceRow(one) {
  const done = Boolean(one.gcode_hash);
  return el("tr", { class: one.runs ? "chosen" : "" },
    el("td", {}, one.printer_class, el("p", { class: "soft" }, [words(one.material), one.process, one.engine].join(" · "))),
    el("td", { class: "num" }, done ? span(one.print_time_s) : "–"), el("td", { class: "num" }, done ? rounded(one.filament_g) + " g" : "–"),
    el("td", { class: "num" }, done ? one.layer_count : "–"), el("td", {}, opinionOf(one)),
    el("td", {}, one.problem ? [chip(one.problem.code, "bad"), el("p", { class: "soft" }, one.problem.message)]
      : one.runs ? one.runs + (one.runs > 1 ? " runs" : " run") : one.approved ? "may be printed" : "waits for the pass"));
}

function slicingRow(one) {
  return el("tr", {}, el("td", {}, one.printer_class, el("p", { class: "soft" }, one.engine)),
    el("td", { colspan: "5" }, el("progress", { max: "1", value: one.progress, "aria-label": "Slicing for " + one.printer_class })));
}

function slices(item) {
  if (!item.slices.length && !item.slicing.length) return null;
  return el("table", { class: "tries" }, el("caption", { class: "soft" }, "Slices"),
    el("thead", {}, el("tr", {}, ["Printer", "Time", "Filament", "Layers", "Second opinion", ""].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, item.slices.map(sliceRow), item.slicing.map(slicingRow)));
}

function secondOpinion(item, button) {
  return act(button, "The other slicer is asked: its answer comes to be shown here", () => call("POST", "/v1/items/" + encodeURIComponent(item.id) + "/second-opinion", {}));
}

async function resolveTask(task, button) {
  const given = await ask("What became of this task at " + task.provider + "?", "Keep", [
    { name: "what", label: "Look at the provider's own page first", options: [["", "choose"], ["found", "it was made: its number is below"], ["not_made", "it was never made: it costs nothing"]], needed: "Please choose." },
    { name: "found", label: "The provider's number of it" },
    { name: "reason", label: "How do you know?", needed: "Please say how you know." }]);
  if (!given) return;
  const body = given.what === "found" ? { found: given.found, reason: given.reason } : { not_made: true, reason: given.reason };
  state.providersAt = 0;
  await act(button, given.what === "found" ? "It goes on" : "It is closed; ask for a new model if one is wanted", () => call("POST", "/v1/tasks/" + encodeURIComponent(task.id) + "/resolve", body));
}

function reviewCard(item) {
  const model = item.model || {}, renders = model.renders || {}, photo = item.photos[0], findings = findingsOf(item);
  const kind = { pass: "good", revise: "warn", reject: "bad" }[model.verdict];
  const passable = Boolean(model.threemf_hash);
  const node = el("article", { class: "card review", tabindex: "-1", "aria-label": "Review of " + (item.name || item.template) + ", order " + item.order_number, on: { focusin: () => choose(item.id) } },
    el("div", { class: "row head" },
      el("h3", { class: "grow clip" }, "#" + item.order_number + " · " + (item.name || item.template)),
      model.verdict ? chip("checks say " + model.verdict, kind) : chip(item.problem ? item.problem.code : "no model", "bad"), ago(item.updated_at)),
    el("div", { class: "pictures" },
      photo ? picture(photo.sha256, "the photo", "photo") : null,
      picture(renders.iso, "slanted", "first"), picture(renders.turn, "all round", ""), picture(renders.front, "front", ""), picture(renders.back, "back", ""),
      picture(renders.thin, "thin walls", ""), picture(renders.overhang, "overhangs", ""), picture(renders.change, "what preparing moved", "")),
    el("div", {},
      item.problem ? el("p", { class: "why" }, item.problem.message) : null,
      el("dl", { class: "facts" }, factsOf(item).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      findings.length ? el("ul", { class: "findings" }, findings.map((one) => el("li", { class: one.severity || "" }, one.message || words(one.code)))) : el("p", { class: "soft" }, "No findings.")),
    candidates(item),
    slices(item),
    el("div", { class: "acts" },
      el("button", { type: "button", class: "good", disabled: !passable, "data-act": "pass", on: { click: (event) => pass(item, event.currentTarget) } }, "Pass"),
      el("button", { type: "button", class: "quiet", "data-act": "revise", on: { click: (event) => revise(item, event.currentTarget) } }, "Revise …"),
      el("button", { type: "button", class: "bad", "data-act": "reject", on: { click: (event) => reject(item, event.currentTarget) } }, "Reject …"),
      passable && !item.slices.some((one) => one.second_opinion) && el("button", { type: "button", class: "quiet", on: { click: (event) => secondOpinion(item, event.currentTarget) } }, "Second opinion")));
  if (state.chosen === item.id) node.classList.add("chosen");
  return node;
}

const decide = (item, body) => call("POST", "/v1/items/" + encodeURIComponent(item.id) + "/review", body, { "If-Match": '"' + item.version + '"' });

function pass(item, button) {
  return act(button, "#" + item.order_number + " passed: it goes to the slicer", () => decide(item, { decision: "pass", threemf_hash: item.model.threemf_hash }));
}

async function revise(item, button) {
  const given = await ask("Revise " + (item.name || item.template), "Revise", [
    { name: "reason", label: "What is to change, and why", type: "textarea", needed: "Please say why." },
    { name: "height_mm", label: "Height in mm", type: "number", step: "0.5", value: item.options.height_mm || "" },
    ...(item.options.text !== undefined ? [{ name: "text", label: "Words on the base", value: item.options.text }] : []),
    { name: "regenerate", label: "Ask for a new model instead of preparing this one again", type: "checkbox" },
  ]);
  if (!given) return;
  const body = { decision: "revise", reason: given.reason, regenerate: given.regenerate, options: {} };
  const height = Number(given.height_mm);
  if (height > 0 && height !== item.options.height_mm) body.options.height_mm = height;
  if (given.text !== undefined && given.text !== item.options.text) body.options.text = given.text;
  await act(button, "Sent back for another round", () => decide(item, body));
}

async function reject(item, button) {
  const given = await ask("Reject " + (item.name || item.template), "Reject", [{ name: "reason", label: "What shall the customer be told?", type: "textarea", needed: "Please say why." }], "bad");
  if (given) await act(button, "Rejected", () => decide(item, { decision: "reject", reason: given.reason }));
}

function choose(id) {
  state.chosen = id;
  for (const node of $("reviews-list").children) node.classList.toggle("chosen", node.dataset.key === id);
}

// ---- printers ------------------------------------------------------------------------------------------------
const printerKind = { ready: "good", busy: "info", reserved: "info", awaiting_clear: "warn", attention: "bad", error: "bad", paused: "warn" };

function printerCard(printer) {
  const run = printer.run, path = "/v1/printers/" + encodeURIComponent(printer.id);
  const clear = printer.state === "awaiting_clear" || printer.state === "attention";
  const button = (text, what, done, className) => el("button", { type: "button", class: className, on: { click: (event) => act(event.currentTarget, done, () => call("POST", path + "/" + what, {})) } }, text);
  return el("article", { class: "card", "aria-label": "Printer " + printer.name },
    el("div", { class: "row" }, el("h3", { class: "grow clip" }, printer.name), chip(printer.state, printerKind[printer.state])),
    el("p", { class: "soft clip" }, [printer.printer_class, words(printer.material)].join(" · "), printer.seen_at ? " · seen " : " · never seen", ago(printer.seen_at)),
    run && el("p", { class: "why clip" }, "#" + run.order_number + " " + (run.name || run.part_code) + " · " + words(run.state)),
    run && ["printing", "paused"].includes(run.state) && [el("progress", { max: "1", value: run.progress, "aria-label": "Progress of " + printer.name }),
      el("p", { class: "soft num" }, Math.round(run.progress * 100) + " % · about " + span(run.print_time_s * (1 - run.progress)) + " left")],
    printer.report && printer.report.message && el("p", { class: "why" }, printer.report.message),
    clear && button("Bed is clear", "clear", printer.name + ": bed confirmed clear", "good wide"),
    el("div", { class: "acts" },
      printer.state === "offline" && !printer.bed_clear && button("Bed is clear", "clear", printer.name + ": bed confirmed clear", "quiet small"),
      printer.state === "busy" && button("Pause", "pause", "Asked to pause", "quiet small"),
      printer.state === "paused" && button("Resume", "resume", "Asked to go on", "quiet small")));
}

// ---- the queue -----------------------------------------------------------------------------------------------
const runKind = { printing: "info", uploading: "info", starting: "info", assigned: "info", paused: "warn", unknown: "bad", failed: "bad", finished: "good" };
const scrapReasons = ["adhesion", "dislodged", "spaghetti", "layer_shift", "nozzle_clog", "filament_out", "warping", "stringing", "support_failed", "breakage_thin", "power_loss", "wrong_model", "wrong_size", "lost_part", "other"];

function queueCard(run) {
  const judged = ["finished", "failed", "cancelled"].includes(run.state);
  const moving = ["printing", "paused"].includes(run.state);
  return el("article", { class: "card", "aria-label": "Run " + run.part_code },
    el("div", { class: "queue-row" },
      run.render_sha256 && el("img", { class: "thumb small", src: file(run.render_sha256), alt: "", loading: "lazy" }),
      el("div", { class: "grow" },
        el("div", { class: "row" }, el("h3", { class: "grow clip" }, "#" + run.order_number + " · " + (run.name || run.template)), chip(judged ? run.state + ": verdict?" : run.state, runKind[run.state])),
        el("p", { class: "soft num hint" }, ["part " + run.part_code, words(run.material), span(run.print_time_s), Math.round(run.filament_g) + " g", run.printer_name].filter(Boolean).join(" · ")),
        moving && el("progress", { max: "1", value: run.progress, "aria-label": "Progress of part " + run.part_code }),
        run.why && el("p", { class: "why" }, run.why + "."),
        run.reason && el("p", { class: "why" }, words(run.reason)),
        judged && el("div", { class: "acts" },
          el("button", { type: "button", class: "good small", on: { click: (event) => act(event.currentTarget, "Part " + run.part_code + " is good", () => judge(run, { verdict: "good" })) } }, "Good"),
          el("button", { type: "button", class: "bad small", on: { click: (event) => scrap(run, event.currentTarget) } }, "Scrap …")))));
}

const judge = (run, body) => call("POST", "/v1/runs/" + encodeURIComponent(run.id) + "/verdict", body);

async function scrap(run, button) {
  const given = await ask("Scrap part " + run.part_code, "Scrap", [
    { name: "why", label: "What went wrong", options: scrapReasons.map((one) => [one, words(one)]) },
    { name: "more", label: "More, if you like" }], "bad");
  if (given) await act(button, "Scrapped: the part is owed again", () => judge(run, { verdict: "scrap", reason: given.why + (given.more ? ": " + given.more : "") }));
}

// ---- providers -----------------------------------------------------------------------------------------------
const providerKind = { ready: "good", configured: "warn", circuit_open: "bad" };

function providerCard(one) {
  const cents = (number) => (number / 100).toFixed(2);
  const percent = (share) => (share === null ? "–" : Math.round(share * 100) + " %");
  const facts = [["At work", one.in_flight + (one.waiting ? ", " + one.waiting + " waiting" : "")]];
  if (one.unit_cents) facts.push(["Spent today", cents(one.spent_today_cents) + (one.caps.day === null ? "" : " of " + cents(one.caps.day * one.unit_cents))]);
  if (one.balance !== null) facts.push(["Balance", rounded(one.balance) + " " + one.unit]);
  if (one.ended) facts.push(["Yield", percent(one.yield) + " of " + one.ended], ["Chosen", percent(one.chosen_share)], ["Median", one.median_s === null ? "–" : Math.round(one.median_s) + " s"]);
  return el("article", { class: "card", "aria-label": "Provider " + one.id },
    el("div", { class: "row" }, el("h3", { class: "grow clip" }, one.id), one.lost ? chip(one.lost + " lost", "bad") : null, chip(one.state, providerKind[one.state])),
    one.why ? el("p", { class: "why" }, one.why) : null,
    el("dl", { class: "facts" }, facts.map(([name, value]) => [el("dt", {}, name), el("dd", { class: "num" }, value)])));
}

// Their figures cost the database more than the other lists do, and are not watched by the second.
async function readProviders() {
  if (Date.now() - state.providersAt < 20000) return;
  state.providersAt = Date.now();
  state.providers = (await call("GET", "/v1/providers")).providers.filter((one) => one.state !== "off");
}

// ---- orders --------------------------------------------------------------------------------------------------
const steps = [["photo", ["new", "photo_check", "needs_photo"]], ["model", ["generating", "inspecting"]], ["preparing", ["preparing"]], ["review", ["review"]],
  ["slicing", ["approved", "slicing"]], ["queued", ["queued"]], ["printing", ["printing"]], ["ready", ["ready"]], ["packed", ["packed"]]];
const stageKind = { ready_to_ship: "good", completed: "good", shipped: "good", in_production: "info", released: "info", in_preparation: "info", awaiting_customer: "warn", failed: "bad", cancelled: "" };

function stepBar(item) {
  const at = steps.findIndex(([, states]) => states.includes(item.state));
  const ended = ["failed", "cancelled"].includes(item.state);
  const kind = ended ? " bad" : ["review", "needs_photo"].includes(item.state) ? " still" : "";
  return el("ol", { class: "steps" + kind, "aria-label": "Step: " + words(item.state) },
    steps.map(([name], i) => el("li", { class: ended ? "now" : i < at || item.state === "packed" ? "done" : i === at ? "now" : "", title: name })));
}

function itemRow(item) {
  return el("div", { class: "item" },
    item.photo_sha256 ? el("img", { class: "thumb", src: file(item.photo_sha256), alt: "", loading: "lazy" }) : el("span", { class: "thumb" }),
    el("div", { class: "grow" },
      el("div", { class: "row" }, el("span", { class: "grow clip" }, item.name || item.template),
        el("span", { class: "soft num" }, words(item.state) + (item.wanted > 1 || item.good ? " · " + item.good + " of " + item.wanted : ""))),
      stepBar(item),
      item.problem && el("p", { class: "why" }, item.problem.message || words(item.problem.code))));
}

function orderCard(order) {
  const open = state.open.has(order.id);
  const more = el("div", { class: "more", hidden: !open });
  const toggle = el("button", { type: "button", class: "quiet small", "aria-expanded": String(open), on: { click: () => {
    if (state.open.has(order.id)) state.open.delete(order.id); else state.open.add(order.id);
    redraw();
  } } }, open ? "Less" : "More");
  if (open) fillOrder(order, more);
  return el("article", { class: "card", "aria-label": "Order " + order.number },
    el("div", { class: "row" }, el("h3", {}, "#" + order.number), chip(order.stage, stageKind[order.stage]), el("span", { class: "soft grow clip" }, order.external_id || ""), ago(order.created_at), toggle),
    order.items.map(itemRow), more);
}

async function fillOrder(order, box) {
  const path = "/v1/orders/" + encodeURIComponent(order.id);
  try {
    const [full, log] = await Promise.all([call("GET", path), call("GET", path + "/events?limit=200")]);
    box.replaceChildren(
      el("div", { class: "acts" }, el("a", { class: "button quiet small", href: path + "/export", download: "" }, "Download all files"),
        full.items.filter((item) => item.state === "ready").map((item) => el("button", { type: "button", class: "good small", on: { click: (event) => pack(item, event.currentTarget) } }, "Pack " + (item.name || item.template) + " …")),
        !["cancelled", "failed", "ready_to_ship", "shipped", "completed"].includes(full.stage) && el("button", { type: "button", class: "bad small", on: { click: (event) => cancel(full, event.currentTarget) } }, "Cancel order …")),
      full.notes ? el("p", { class: "soft" }, full.notes) : "",
      ...full.items.map(slices).filter(Boolean),
      el("div", { class: "files" }, full.items.flatMap((item) => item.artifacts.map((one) => el("a", { href: file(one.sha256), download: one.mime.startsWith("image/") ? null : one.name, target: "_blank", rel: "noopener" }, one.name)))),
      el("ol", { class: "timeline", reversed: true, tabindex: "0", "aria-label": "What happened" }, log.events.filter((one) => one.event !== "slice.progress").reverse().map((one) => el("li", {},
        el("time", { datetime: one.at, class: "soft num" }, new Date(one.at).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" })),
        el("span", {}, words(one.event.replace(".", ": ")), one.to ? " → " + words(one.to) : "", el("span", { class: "soft" }, " " + one.actor + (one.reason ? " – " + one.reason : "")))))));
  } catch (why) {
    box.replaceChildren(el("p", { class: "why" }, why.message));
  }
}

async function cancel(order, button) {
  const given = await ask("Cancel order #" + order.number, "Cancel the order", [{ name: "reason", label: "Why", needed: "Please say why." }], "bad");
  if (given) await act(button, "Order #" + order.number + " is cancelled", () => call("POST", "/v1/orders/" + encodeURIComponent(order.id) + "/cancel", { reason: given.reason }));
}

async function pack(item, button) {
  const given = await ask("Pack " + (item.name || item.template), "Pack", [{ name: "code", label: "Code on the part", needed: "Please scan or type the code." }], "good");
  if (given) await act(button, "Packed", () => call("POST", "/v1/items/" + encodeURIComponent(item.id) + "/pack", { part_code: given.code.toUpperCase() }));
}

// ---- keeping it live -----------------------------------------------------------------------------------------
function redraw() {
  draw("reviews-list", state.reviews, reviewCard, "Nothing waits for a review.");
  draw("printers-list", state.printers, printerCard, "No printer is registered.");
  draw("providers-list", state.providers, providerCard, "No provider is set up.");
  draw("queue-list", state.queue, queueCard, "The queue is empty.");
  draw("orders-list", state.orders.concat(state.older), orderCard, "No orders yet.", (order) => state.open.has(order.id));
  count("reviews", state.reviews.length);
  count("queue", state.queue.length);
  count("printers", state.printers.filter((one) => ["awaiting_clear", "attention", "error"].includes(one.state)).length);
  count("providers", state.providers.filter((one) => one.state === "circuit_open" || one.lost).length);
  count("orders", state.orders.length + state.older.length);
  $("orders-more").hidden = !state.next;
  if (!state.reviews.some((one) => one.id === state.chosen)) state.chosen = state.reviews.length ? state.reviews[0].id : null;
  choose(state.chosen);
}

let running = false, again = false;
async function refresh() {
  if (running) { again = true; return; }
  running = true;
  try {
    const [reviews, printers, queue, orders] = await Promise.all([call("GET", "/v1/reviews"), call("GET", "/v1/printers"), call("GET", "/v1/queue"), call("GET", "/v1/orders?limit=50"), readProviders()]);
    state.reviews = reviews.reviews;
    state.printers = printers.printers;
    state.queue = queue.runs;
    state.orders = orders.orders;
    const shown = new Set(state.orders.map((one) => one.id));
    state.older = state.older.filter((one) => !shown.has(one.id));
    if (!state.older.length) state.next = orders.next_cursor;
    redraw();
  } catch (why) {
    if (why.status !== 401) live("off", "no answer: " + why.message);
  } finally {
    running = false;
    if (again) { again = false; refresh(); }
  }
}

async function older() {
  const page = await call("GET", "/v1/orders?limit=50&cursor=" + encodeURIComponent(state.next));
  state.older = state.older.concat(page.orders);
  state.next = page.next_cursor;
  redraw();
}

function live(kind, text) {
  $("live").dataset.state = kind;
  $("live").textContent = text;
}

let source = null, due = null;
function follow() {
  if (source) source.close();
  source = new EventSource("/v1/events");
  source.onopen = () => { live("on", "live"); refresh(); };
  source.onerror = () => live("off", "connection lost, trying again");
  source.onmessage = () => { if (!due) due = setTimeout(() => { due = null; refresh(); }, 250); };
}

// ---- keys ----------------------------------------------------------------------------------------------------
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog").open || $("picture").open) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const cards = [...$("reviews-list").children].filter((node) => node.dataset.key);
  const at = cards.findIndex((node) => node.dataset.key === state.chosen);
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") {
    const card = cards[at + (key === "j" ? 1 : -1)];
    if (card) { card.focus(); card.scrollIntoView({ block: "nearest" }); }
    return;
  }
  const what = { p: "pass", v: "revise", r: "reject" }[key];
  const button = what && cards[at] && cards[at].querySelector('[data-act="' + what + '"]');
  if (button && !button.disabled) { event.preventDefault(); button.click(); }
}

dress();
$("settings-open").addEventListener("click", askSettings);
$("picture-close").addEventListener("click", () => $("picture").close());
$("picture").addEventListener("click", (event) => { if (event.target === $("picture")) $("picture").close(); });
$("orders-more").addEventListener("click", () => older().catch((why) => toast(why.message, true)));
document.addEventListener("keydown", onKey);
setInterval(() => { if (!document.hidden && state.queue.some((run) => ["printing", "uploading", "starting", "paused"].includes(run.state))) refresh(); }, 3000);
setInterval(() => { if (!document.hidden && source && source.readyState === EventSource.CLOSED) follow(); }, 5000);
setInterval(() => document.querySelectorAll("time.since").forEach((node) => { node.textContent = since(node.dateTime); }), 20000);
refresh();
// "/?still" shows how things stand once, without following them: for a picture or a print of the page.
if (new URLSearchParams(location.search).has("still")) live("off", "not followed");
else follow();
