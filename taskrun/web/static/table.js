// The tasks: one row each, with a bar for the doing and one for the undoing. Only what has changed is drawn again, and
// of many rows only as many are made as somebody has come to.

import { Axis } from "./axis.js";
import { fill, h, once, setText } from "./dom.js";
import { UNDER_WAY, chip, clock, counted, duration, setChip, tone } from "./words.js";

const AT_ONCE = 200;
const TROUBLE = ["FAILURE", "REVERT_FAILURE", "UNKNOWN"];
const FILTERS = [
  ["all", "All", () => true],
  ["way", "Running", (row) => UNDER_WAY.includes(row.state)],
  ["trouble", "Trouble", (row) => TROUBLE.includes(row.state) || Boolean(row.failure || row.undo_failure)],
  ["undone", "Undone", (row) => row.state === "REVERTED"],
  ["done", "Done", (row) => row.state === "SUCCESS"],
  ["pending", "Pending", (row) => row.state === "PENDING"],
];
const UNDO = {
  auto: "undoes itself",
  restore: "restores files",
  action: "has an undo",
  none: "nothing to undo",
  impossible: "cannot be undone",
  unstated: "no undo declared",
};

export class Table {
  constructor(rows, open) {
    this.rows = rows; // key -> row
    this.open = open;
    this.axis = new Axis();
    this.drawn = new Map(); // key -> parts of the row on the page
    this.seen = new Set();
    this.filter = "all";
    this.words = "";
    this.most = AT_ONCE;
    this.chosen = null;
    this.now = Date.now() / 1000;
    this.watch = new IntersectionObserver((entries) => this.take(entries), { rootMargin: "200px" });
    this.arrange = once(() => this.draw());
    this.build();
  }

  build() {
    this.search = h("input", { type: "search", placeholder: "Search tasks", "aria-label": "Search tasks", autocomplete: "off", spellcheck: "false" });
    this.search.addEventListener("input", () => {
      this.words = this.search.value.trim().toLowerCase();
      this.most = AT_ONCE;
      this.arrange();
    });
    this.buttons = FILTERS.map(([key, label]) => {
      const number = h("span", { class: "number" });
      const button = h("button", { class: "filter", type: "button", onclick: () => this.choose(key) }, label, " ", number);
      return { key, button, number };
    });
    this.body = h("tbody", { role: "rowgroup" });
    const head = ["State", "Task", "Action", "Doing, and below it undoing", "Done in", "Undone in"];
    this.table = h(
      "table", { role: "table", class: "tasks" },
      h("caption", { class: "unseen" }, "Tasks in the order of the file, with their states, how long each was done and undone"),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head.map((title, i) => h("th", { scope: "col", role: "columnheader", class: i === 3 ? "bars" : null }, title)))),
      this.body,
    );
    this.body.addEventListener("keydown", (event) => this.move(event));
    this.more = h("button", { class: "more", type: "button", onclick: () => this.extend() });
    this.none = h("p", { class: "empty" }, "No task fits.");
    new IntersectionObserver((entries) => entries.some((each) => each.isIntersecting) && !this.more.hidden && this.extend(), { rootMargin: "600px" }).observe(this.more);
    this.element = h(
      "section", { class: "block", "aria-label": "Tasks" },
      h("div", { class: "tools" }, this.search, h("div", { class: "filters", role: "group", "aria-label": "Filter" }, this.buttons.map(({ button }) => button))),
      this.table, this.none, this.more,
    );
  }

  choose(key) {
    this.filter = key;
    this.most = AT_ONCE;
    this.arrange();
  }

  extend() {
    this.most += AT_ONCE;
    this.draw();
  }

  // Rows have changed; `joined` says that there are new ones.
  changed(keys, joined) {
    this.stale = true;
    if (joined || this.filter !== "all" || this.words) {
      for (const key of keys) if (this.drawn.has(key)) this.update(key);
      this.arrange();
      return;
    }
    for (const key of keys) if (this.seen.has(key)) this.update(key);
    for (const key of keys) if (this.drawn.has(key) && !this.seen.has(key)) this.drawn.get(key).late = true;
    this.count();
  }

  count() {
    const many = new Map(FILTERS.map(([key]) => [key, 0]));
    for (const row of this.rows.values()) {
      if (row.kind !== "task" || row.items) continue;
      for (const [key, , wanted] of FILTERS) if (wanted(row)) many.set(key, many.get(key) + 1);
    }
    for (const { key, button, number } of this.buttons) {
      setText(number, many.get(key).toLocaleString("en"));
      button.setAttribute("aria-pressed", String(key === this.filter));
      button.hidden = !many.get(key) && key !== "all" && key !== this.filter;
    }
  }

  draw() {
    const wanted = FILTERS.find(([key]) => key === this.filter)[2];
    const all = [...this.rows].filter(([, row]) => this.filter === "all" ? true : row.kind === "task" && wanted(row));
    const found = all.filter(([, row]) => !this.words || `${row.name} ${row.flow} ${row.action} ${row.failure || ""}`.toLowerCase().includes(this.words));
    found.sort(([, one], [, other]) => one.order[0] - other.order[0] || one.order[1] - other.order[1]);
    this.scale();
    const elements = found.slice(0, this.most).map(([key]) => this.part(key).element);
    const children = this.body.children;
    if (elements.length !== children.length || elements.some((element, i) => element !== children[i])) fill(this.body, elements);
    this.more.hidden = found.length <= this.most;
    setText(this.more, `Show ${counted(Math.min(AT_ONCE, found.length - this.most), "more task")}`);
    this.none.hidden = Boolean(found.length);
    this.table.hidden = !found.length;
    this.count();
  }

  part(key) {
    let part = this.drawn.get(key);
    if (part) return part;
    const row = this.rows.get(key);
    part = {
      chip: chip(row.state),
      name: h("button", { class: "name", type: "button", "data-task": row.name }, row.name),
      nth: h("span", { class: "nth" }),
      about: h("span", { class: "about" }),
      doing: h("div", { class: "lane" }),
      undoing: h("div", { class: "lane undo" }),
      did: h("td", { role: "cell", class: "number", "data-title": "done in" }),
      undid: h("td", { role: "cell", class: "number", "data-title": "undone in" }),
    };
    if (row.kind === "task") part.name.addEventListener("click", () => this.open(row.name, part.name));
    else part.name.disabled = true;
    part.element = h(
      "tr", { role: "row", "data-key": key, class: row.kind },
      h("td", { role: "cell", class: "state" }, part.chip),
      h("th", { scope: "row", role: "rowheader" }, h("span", { class: "title" }, part.name, part.nth), part.about),
      h("td", { role: "cell", class: "action", title: UNDO[row.revert] || null }, row.kind === "retry" ? "rounds" : row.action),
      h("td", { role: "cell", class: "bars", "aria-hidden": "true" }, part.doing, part.undoing),
      part.did,
      part.undid,
    );
    part.element.style.setProperty("--depth", String(row.depth));
    this.drawn.set(key, part);
    this.watch.observe(part.element);
    this.update(key);
    return part;
  }

  update(key) {
    const row = this.rows.get(key);
    const part = this.drawn.get(key);
    part.late = false;
    setChip(part.chip, row.state);
    part.chip.hidden = Boolean(row.items) && row.state === "PENDING";
    part.doing.hidden = part.undoing.hidden = Boolean(row.items) || row.kind === "retry";
    setText(part.nth, row.kind === "retry" && row.nth ? `round ${row.nth}` : row.nth ? `attempt ${row.nth}` : "");
    part.element.classList.toggle("trouble", ["FAILURE", "REVERT_FAILURE"].includes(row.state));
    const about = row.undo_failure ? `not undone: ${row.undo_failure}` : row.question || row.failure || row.given_up || row.custom || row.message || "";
    setText(part.about, row.items ? counted(row.items, "item") : row.progress !== undefined && UNDER_WAY.includes(row.state) ? `${Math.round(row.progress * 100)} %${about ? `, ${about}` : ""}` : about);
    this.time(key);
  }

  time(key) {
    const row = this.rows.get(key);
    const part = this.drawn.get(key);
    setText(part.did, took(row.do, this.now));
    setText(part.undid, took(row.undo, this.now));
    this.bars(part.doing, row.do);
    this.bars(part.undoing, row.undo);
  }

  bars(lane, spans) {
    while (lane.children.length > spans.length) lane.lastChild.remove();
    spans.forEach(([from, to, state], i) => {
      const bar = lane.children[i] || lane.appendChild(h("i"));
      const start = this.axis.place(from);
      const end = to === null ? this.axis.place(this.now) : this.axis.place(to);
      bar.title = to === null ? state : `${state}, ${duration(to - from)}`;
      bar.className = `${tone(state)}${to === null ? " live" : ""}`;
      bar.style.left = `min(${(start * 100).toFixed(3)}%, calc(100% - 3px))`; // a moment at the end is seen too
      bar.style.width = `${(Math.max(0, end - start) * 100).toFixed(3)}%`;
    });
  }

  // The axis grows with time, and all bars move with it: those that are seen.
  scale() {
    this.now = Date.now() / 1000;
    const spans = [];
    for (const row of this.rows.values()) spans.push(...row.do, ...row.undo);
    this.axis.set(spans, this.now);
    this.stale = false;
    for (const key of this.seen) if (this.drawn.has(key)) this.time(key);
  }

  tick(live) {
    if (live || this.stale) this.scale();
  }

  take(entries) {
    for (const { target, isIntersecting } of entries) {
      const key = target.dataset.key;
      if (!isIntersecting) {
        this.seen.delete(key);
        continue;
      }
      this.seen.add(key);
      const part = this.drawn.get(key);
      if (part && part.late) this.update(key);
      else if (part) this.time(key);
    }
  }

  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.classList.contains("name")) return;
    const names = [...this.body.querySelectorAll("button.name:not(:disabled)")];
    const next = names[names.indexOf(event.target) + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }

  mark(name) {
    for (const element of this.body.querySelectorAll("tr.chosen")) element.classList.remove("chosen");
    const part = this.drawn.get(`task ${name}`);
    if (part) part.element.classList.add("chosen");
  }
}

function took(spans, now) {
  if (!spans.length) return "";
  const [from, to] = spans[spans.length - 1];
  return to === null ? clock(now - from) : duration(Math.max(0, to - from));
}
