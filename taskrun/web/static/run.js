// One run: what it comes to, its graph and tasks, and its other parts. It is told of every change by its number.

import { follow, get, showRefusal, showStatus } from "./api.js";
import { Asking, button } from "./acts.js";
import { Detail } from "./detail.js";
import { byId, fill, h, once, setText } from "./dom.js";
import { Graph } from "./graph.js";
import { Data, Events, Source } from "./parts.js";
import { Table } from "./table.js";
import { UNDER_WAY, ago, chip, clock, duration, moment, setChip, symbol, tone } from "./words.js";

const id = location.pathname.split("/").pop();
const rows = new Map(); // "task NAME" or "retry FLOW" -> row
const ORDER = ["SUCCESS", "RUNNING", "RETRYING", "FAILURE", "REVERTING", "REVERTED", "REVERT_FAILURE", "UNKNOWN", "IGNORE", "PENDING"];

let run = null;
let about = null; // what does not change: inputs, description, ...
let table, graph, detail, asking, parts;
let last = "";
const dirty = new Set();
let joined = false;
let gone = false;

const key = (row) => `${row.kind} ${row.name}`;

// ------------------------------------------------------------------ the head

const hero = {
  chip: chip("PENDING"),
  headline: h("p", { class: "headline" }),
  tally: h("p", { class: "tally" }),
  reason: h("p", { class: "reason" }),
  facts: h("dl", { class: "facts" }),
  strip: h("div", { class: "strip", "aria-hidden": "true" }),
  legend: h("ul", { class: "legend", "aria-label": "Tasks by state" }),
  buttons: h("div", { class: "buttons" }),
  took: h("dd"),
};

function drawHero() {
  document.title = `${symbol(run.state)} ${run.state} ${run.name} · taskrun`;
  setChip(hero.chip, run.state);
  setText(hero.headline, run.headline);
  const isOver = ["FAILURE", "REVERTED", "SUSPENDED", "INTERRUPTED"].includes(run.state) || run.rolling;
  setText(hero.tally, isOver ? `${run.tally}.` : "");
  hero.tally.hidden = !isOver;
  setText(hero.reason, run.reason ? `Reason: ${run.reason}` : "");
  hero.reason.hidden = !run.reason;
  const facts = [
    ["Run", h("code", {}, run.id)],
    ["File", h("span", { class: "path" }, run.file || "none")],
    ["Started", h("time", { title: ago(run.created) }, moment(run.created))],
    ["Took", null],
    ["Taken up again", about.continued.length ? h("span", {}, about.continued.map(([verb, at], i) => [i ? ", " : "", `${verb} `, h("time", { title: moment(at) }, ago(at))])) : null],
    ["Exit code", run.exit_code === null ? null : String(run.exit_code)],
  ];
  fill(hero.facts, facts.filter(([name, value]) => value !== null || name === "Took").map(([name, value]) => h("div", {}, h("dt", {}, name), name === "Took" ? hero.took : h("dd", {}, value))));
  drawTook();
  const counts = ORDER.filter((state) => run.counts[state]);
  fill(hero.strip, counts.map((state) => {
    const piece = h("i", { class: tone(state) + (state === "PENDING" ? " empty" : "") });
    piece.style.flexGrow = String(run.counts[state]);
    return piece;
  }));
  fill(hero.legend, counts.map((state) => h("li", { class: tone(state) }, h("span", { class: "symbol", "aria-hidden": "true" }, symbol(state)), ` ${run.counts[state].toLocaleString("en")} ${state.replace("_", " ")}`)));
  const acts = about.read_only ? [] : run.acts.filter((act) => !act.task);
  const known = acts.map((act) => act.verb).join();
  if (hero.buttons.dataset.known !== known) {
    hero.buttons.dataset.known = known;
    fill(hero.buttons, acts.map((act) => button(act, (from) => asking.ask(act, from))));
  }
  announce();
}

function drawTook() {
  const end = run.ended === null ? Date.now() / 1000 : run.ended;
  const begun = run.started === null ? run.created : run.started;
  setText(hero.took, run.ended === null ? (run.driven ? clock(end - begun) : "interrupted") : duration(Math.max(0, end - begun)));
}

// Said aloud when the state changes, not with every task that is done.
function announce() {
  if (last === run.state) return;
  last = run.state;
  setText(byId("announce"), `${run.state}. ${run.headline} ${hero.tally.hidden ? "" : run.tally}`);
}

// Said aloud, and shown for a while.
function say(words) {
  setText(byId("announce"), words);
  const place = byId("toast");
  setText(place, words);
  place.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (place.hidden = true), 6000);
}

function drawNeeds() {
  const acts = about.read_only ? [] : run.acts.filter((act) => act.task);
  const byTask = new Map();
  for (const act of acts) byTask.set(act.task, [...(byTask.get(act.task) || []), act]);
  const open = run.unknown.concat(run.not_undone);
  const items = open.map((name) => {
    const row = rows.get(`task ${name}`) || {};
    const words = row.question || (row.reason && row.undo_failure ? `It cannot be undone: ${row.reason}` : row.undo_failure ? `Its undo failed: ${row.undo_failure}` : row.failure || "A crash took its outcome: nobody knows whether it has happened.");
    return h("li", {}, h("div", {}, taskLink(name), h("p", {}, words), row.given_up ? h("p", { class: "soft" }, `Given up: ${row.given_up}`) : null),
      h("div", { class: "buttons" }, (byTask.get(name) || []).map((act) => button(act, (from) => asking.ask(act, from)))));
  });
  const residue = run.residue.map((text) => h("li", {}, h("p", {}, `Found after the rollback: ${text}`)));
  const known = JSON.stringify([open, run.residue, acts, items.map((item) => item.textContent)]);
  const place = byId("needs");
  if (place.dataset.known === known) return;
  place.dataset.known = known;
  place.className = items.length || residue.length ? "block needs" : "";
  fill(place, items.length || residue.length ? [h("h2", {}, h("span", { "aria-hidden": "true" }, "! "), "Needs you"), h("ul", {}, items, residue)] : []);
}

function drawTroubles() {
  const failed = run.failed.map((name) => [name, rows.get(`task ${name}`) || {}]);
  const shown = failed.slice(0, 5);
  const known = JSON.stringify([shown.map(([name, row]) => [name, row.failure, row.allowed]), failed.length, run.warnings, run.advice, about.unreadable]);
  const place = byId("troubles");
  if (place.dataset.known === known) return;
  place.dataset.known = known;
  const items = shown.map(([name, row], i) => h("li", {}, taskLink(name), " ", h("span", { class: "why" }, row.failure || "failed"), row.allowed ? h("span", { class: "soft" }, " (allowed)") : null, i < 3 ? lastWords(name) : null));
  const more = failed.length > 5 ? h("li", { class: "soft" }, `and ${failed.length - 5} more`) : null;
  const secrets = about.unreadable.length ? h("p", { class: "warning" }, `! Output is not shown: it may hold secrets that cannot be read here (${about.unreadable.join(", ")}).`) : null;
  const warnings = run.warnings.map((text) => h("p", { class: "warning" }, `! ${text}`));
  const commands = run.advice.length ? h("details", { class: "advice" }, h("summary", {}, "In a terminal"), h("ul", {}, run.advice.map(([command, purpose]) => h("li", {}, h("code", {}, command), " ", h("span", { class: "soft" }, purpose))))) : null;
  const there = items.length || warnings.length || secrets || commands;
  place.className = there ? "block troubles" : "";
  fill(place, there ? [items.length ? [h("h2", {}, h("span", { "aria-hidden": "true" }, "✗ "), "Failed"), h("ul", {}, items, more)] : [], secrets, warnings, commands] : []);
}

// The last lines that a failed task has printed.
function lastWords(name) {
  const place = h("pre", { hidden: true });
  get(`/api/runs/${id}/last`, { name })
    .then((found) => {
      place.hidden = !found.lines.length;
      setText(place, found.lines.join("\n"));
    })
    .catch(() => {}); // the task itself says why not
  return place;
}

function taskLink(name) {
  return h("a", { class: "task", href: `#task=${encodeURIComponent(name)}` }, name);
}

// ------------------------------------------------------------------ parts

const PARTS = [["tasks", "Tasks"], ["data", "Inputs and outputs"], ["events", "Events"], ["yaml", "YAML"]];

function place() {
  return new URLSearchParams(location.hash.slice(1));
}

let shownPart = "";

function show() {
  const asked = place();
  const part = asked.get("part") || "tasks";
  if (part !== shownPart && parts[part]) {
    shownPart = part;
    for (const tab of byId("tabs").children) {
      const isIt = tab.dataset.part === part;
      tab.setAttribute("aria-selected", String(isIt));
      tab.tabIndex = isIt ? 0 : -1;
    }
    byId("panel").setAttribute("aria-labelledby", `tab-${part}`);
    fill(byId("panel"), parts[part].elements);
    if (parts[part].shown) parts[part].shown(run);
  }
  const task = asked.get("task");
  if (task) detail.show(task, asked.get("file"), Number(asked.get("line")) || null);
  else detail.hide();
  byId("main").classList.toggle("with-detail", Boolean(task));
  table.mark(task || "");
}

function go(changes) {
  const asked = place();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) asked.delete(name);
    else asked.set(name, value);
  }
  const hash = asked.toString();
  history.pushState(null, "", hash ? `#${hash}` : location.pathname);
  show();
}

function openTask(name) {
  go({ task: name, file: null, line: null });
}

function buildTabs() {
  const tabs = PARTS.map(([part, title]) => h("button", { type: "button", role: "tab", id: `tab-${part}`, "data-part": part, "aria-controls": "panel", onclick: () => go({ part: part === "tasks" ? null : part }) }, title));
  fill(byId("tabs"), tabs);
  byId("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.indexOf(event.target);
    if (!step || at < 0) return;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}

// ------------------------------------------------------------------ changes

const draw = once(() => {
  const changed = [...dirty];
  dirty.clear();
  drawHero();
  drawNeeds();
  drawTroubles();
  table.changed(changed, joined);
  for (const each of changed) {
    const row = rows.get(each);
    if (row.kind === "task") graph.update(row.name);
  }
  if (joined) graph.reload();
  joined = false;
  if (parts[shownPart].changed) parts[shownPart].changed(run);
  detail.changed(changed);
}, 150);

function take(data) {
  if (data.gone) {
    gone = true;
    byId("notice").hidden = false;
    setText(byId("notice"), "This run was deleted meanwhile. What is shown is what was last known of it.");
    return;
  }
  if (data.reload) {
    location.reload();
    return;
  }
  run = data.run;
  for (const row of data.rows) {
    const name = key(row);
    if (!rows.has(name)) joined = true;
    rows.set(name, row);
    dirty.add(name);
  }
  if (data.continued) about.continued = data.continued;
  if (data.events.length) parts.events.take(data.events);
  draw();
}

setInterval(() => {
  if (document.hidden || !run) return;
  const live = run.driven && [...rows.values()].some((row) => UNDER_WAY.includes(row.state));
  if (run.ended === null) drawTook();
  table.tick(live);
}, 500);

async function begin() {
  let found;
  try {
    found = await get(`/api/runs/${id}`);
  } catch (error) {
    showRefusal(byId("notice"), error);
    return;
  }
  run = found.run;
  about = found;
  for (const row of found.rows) rows.set(key(row), row);
  asking = new Asking(id, say);
  table = new Table(rows, openTask);
  graph = new Graph(id, rows, openTask, found.many);
  detail = new Detail(id, rows, byId("detail"), { close: () => go({ task: null, file: null, line: null }), go, acts: () => (about.read_only ? [] : run.acts), ask: (act, from) => asking.ask(act, from) });
  parts = { tasks: { elements: [graph.element, table.element] }, data: new Data(id, about), events: new Events(id), yaml: new Source(id, openTask) };
  fill(byId("hero"), h("div", { class: "row" }, h("div", { class: "title" }, h("h1", {}, run.name), hero.chip), hero.buttons), about.description ? h("p", { class: "soft" }, about.description) : null, hero.headline, hero.tally, hero.reason, hero.strip, hero.legend, hero.facts);
  if (about.read_only) byId("hero").append(h("p", { class: "soft" }, "Read only: taskrun web was started with --read-only."));
  buildTabs();
  drawHero();
  drawNeeds();
  drawTroubles();
  table.draw();
  show();
  graph.reload();
  window.addEventListener("hashchange", show);
  window.addEventListener("popstate", show);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !byId("detail").hidden && !byId("dialog").open) go({ task: null, file: null, line: null });
    if (event.key === "/" && !["INPUT", "TEXTAREA", "SELECT"].includes(document.activeElement.tagName)) {
      event.preventDefault();
      (byId("detail").hidden ? table.search : detail.search).focus();
    }
  });
  follow(`/api/runs/${id}/live`, run.seq, take, (what) => showStatus(byId("connection"), what), () => gone);
  await takeRest(found.first, found.many);
}

// The rows that did not come at once. What the live stream has told of one meanwhile is newer, or will be told again.
async function takeRest(from, many) {
  let again = 3; // items have joined, so that the rows have other places: from the beginning, but not for ever
  while (from < many && !gone) {
    let found;
    try {
      found = await get(`/api/runs/${id}/rows`, { from: String(from) });
    } catch (error) {
      showRefusal(byId("notice"), error);
      return;
    }
    for (const row of found.rows) if (!rows.has(key(row))) rows.set(key(row), row);
    const moved = found.many !== many && again > 0;
    from = moved ? 0 : from + found.rows.length;
    many = found.many;
    again -= moved ? 1 : 0;
    if (!found.rows.length) break;
    table.arrange();
    if (from >= many) show();
  }
}

begin();
