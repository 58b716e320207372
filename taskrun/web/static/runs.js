// The list of runs: live, with a filter and a search.

import { follow, get, showRefusal, showStatus } from "./api.js";
import { byId, fill, h, once, setText } from "./dom.js";
import { RUN_UNDER_WAY, ago, chip, clock, counted, duration, moment, setChip } from "./words.js";

const FILTERS = [
  ["all", "All", () => true],
  ["way", "Under way", (run) => RUN_UNDER_WAY.includes(run.state)],
  ["person", "Needs you", (run) => run.state === "INTERRUPTED" || run.exit_code === 3],
  ["done", "Done", (run) => run.state === "SUCCESS"],
  ["undone", "Undone", (run) => run.state === "REVERTED"],
];
const AT_ONCE = 100;

const runs = new Map();
const rows = new Map();
let filter = new URLSearchParams(location.search).get("show") || "all";
let words = new URLSearchParams(location.search).get("q") || "";
let most = AT_ONCE;

const search = h("input", {
  type: "search", id: "search", placeholder: "Search name, id or file", "aria-label": "Search runs", value: words,
  autocomplete: "off", spellcheck: "false",
});
const buttons = FILTERS.map(([key, label]) => {
  const number = h("span", { class: "number" });
  const button = h("button", { class: "filter", type: "button", "aria-pressed": "false" }, label, " ", number);
  button.addEventListener("click", () => choose(key));
  return { key, button, number };
});
const body = h("tbody", { role: "rowgroup" });
const table = h(
  "table", { role: "table", class: "runs" },
  h("caption", { class: "unseen" }, "Runs, the newest first"),
  h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ["State", "Workflow", "Run", "Started", "Took", "Exit"].map((title) => h("th", { scope: "col", role: "columnheader" }, title)))),
  body,
);
const more = h("button", { class: "more", type: "button", onclick: () => { most += AT_ONCE; draw(); } });
const empty = h("div", { class: "empty" });

function choose(key) {
  filter = key;
  most = AT_ONCE;
  remember();
  draw();
}

function remember() {
  const query = new URLSearchParams();
  if (filter !== "all") query.set("show", filter);
  if (words) query.set("q", words);
  history.replaceState(null, "", query.size ? `/?${query}` : "/");
}

function matches(run) {
  const text = `${run.name} ${run.id} ${run.file}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function row(run) {
  let known = rows.get(run.id);
  if (!known) {
    known = {
      chip: chip(run.state),
      took: h("td", { role: "cell", class: "number", "data-title": "took" }),
      exit: h("td", { role: "cell", class: "number", "data-title": "exit code" }),
      started: h("time", { datetime: new Date(run.created * 1000).toISOString(), title: moment(run.created) }),
    };
    known.element = h(
      "tr", { role: "row", "data-run": run.id },
      h("td", { role: "cell", class: "state" }, known.chip),
      h("th", { scope: "row", role: "rowheader" }, h("a", { href: `/runs/${run.id}` }, run.name), h("span", { class: "file" }, run.file)),
      h("td", { role: "cell", class: "id" }, h("code", {}, run.id)),
      h("td", { role: "cell", class: "when", "data-title": "started" }, known.started),
      known.took,
      known.exit,
    );
    rows.set(run.id, known);
  }
  setChip(known.chip, run.state);
  setText(known.exit, run.exit_code === null ? "" : String(run.exit_code));
  time(run, known);
  return known.element;
}

function time(run, known) {
  setText(known.started, ago(run.created));
  const under = RUN_UNDER_WAY.includes(run.state);
  setText(known.took, run.ended !== null ? duration(Math.max(0, run.ended - run.created)) : under ? clock(Date.now() / 1000 - run.created) : "");
}

const draw = once(() => {
  const all = [...runs.values()].sort((one, other) => other.created - one.created);
  const [, , wanted] = FILTERS.find(([key]) => key === filter) || FILTERS[0];
  const found = all.filter((run) => wanted(run) && matches(run));
  for (const { key, button, number } of buttons) {
    button.setAttribute("aria-pressed", String(key === filter));
    setText(number, all.filter(FILTERS.find(([name]) => name === key)[2]).length.toLocaleString("en"));
  }
  const seen = found.slice(0, most).map(row);
  if (seen.length !== body.children.length || seen.some((element, i) => element !== body.children[i])) fill(body, seen);
  table.hidden = !found.length;
  more.hidden = found.length <= most;
  setText(more, `Show ${Math.min(AT_ONCE, found.length - most)} more`);
  empty.hidden = Boolean(found.length);
  if (!found.length) drawEmpty(all.length);
  setText(byId("summary"), all.length ? `${counted(found.length, "run")}${found.length < all.length ? ` of ${all.length}` : ""}` : "");
});

function drawEmpty(there) {
  if (there) fill(empty, h("p", {}, "No run fits."), h("button", { type: "button", onclick: () => { search.value = words = ""; choose("all"); } }, "Show all runs"));
  else fill(empty, h("p", {}, "There is no run yet."), h("p", { class: "soft" }, "Make a first one: ", h("code", {}, "taskrun run FILE")));
}

function take(data) {
  if (data.whole) runs.clear();
  for (const run of data.runs) runs.set(run.id, run);
  for (const id of data.gone || []) runs.delete(id);
  draw();
}

search.addEventListener("input", () => {
  words = search.value.trim();
  most = AT_ONCE;
  remember();
  draw();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
setInterval(() => {
  if (document.hidden) return;
  for (const element of body.children) {
    const run = runs.get(element.dataset.run);
    if (run) time(run, rows.get(run.id));
  }
}, 1000);

async function begin() {
  fill(byId("tools"), search, h("div", { class: "filters", role: "group", "aria-label": "Filter" }, buttons.map(({ button }) => button)));
  fill(byId("list"), table, empty, more);
  table.hidden = more.hidden = true;
  try {
    const found = await get("/api/runs");
    take({ whole: true, runs: found.runs });
    if (found.read_only) document.body.classList.add("read-only");
  } catch (error) {
    showRefusal(byId("notice"), error);
    return;
  }
  follow("/api/runs/live", 0, take, (what) => showStatus(byId("connection"), what));
}

begin();
