// The graph in level columns: what stands in one column may run at the same time. The table says the same in words.

import { get } from "./api.js";
import { fill, h, once, setText, svg } from "./dom.js";
import { symbol, tone } from "./words.js";

const WITH_NAMES = 160; // tasks; more are drawn as squares
const AT_ONCE = 2000; // more are drawn only when somebody wants to see them

export class Graph {
  constructor(run, rows, open, many) {
    this.run = run;
    this.rows = rows;
    this.open = open;
    this.nodes = new Map();
    this.edges = [];
    this.lines = svg("svg", { class: "edges" });
    this.canvas = h("div", { class: "graph" });
    this.hint = h("span", { class: "soft" });
    this.scroll = h("div", { class: "scroll", role: "img", tabindex: "0" }, this.canvas);
    this.element = h("details", { class: "block graph-block" }, h("summary", {}, h("span", { class: "heading" }, "Graph"), " ", this.hint), this.scroll);
    this.connect = once(() => this.drawEdges());
    new ResizeObserver(() => this.connect()).observe(this.canvas);
    this.element.open = many <= AT_ONCE;
    this.element.addEventListener("toggle", () => (this.stale ? this.reload() : this.connect()));
  }

  // The run has other tasks than before.
  reload() {
    this.stale = !this.element.open;
    if (!this.stale) this.load().catch(() => setText(this.hint, "cannot be drawn"));
  }

  async load() {
    const found = await get(`/api/runs/${this.run}/graph`);
    const many = found.levels.reduce((sum, names) => sum + names.length, 0);
    this.small = many > WITH_NAMES;
    this.edges = this.small ? [] : found.edges || [];
    this.nodes.clear();
    const columns = found.levels.map((names) => h("div", { class: "level" }, names.map((name) => this.node(name))));
    this.canvas.classList.toggle("small", this.small);
    fill(this.canvas, this.small ? null : this.lines, columns);
    const words = `${many.toLocaleString("en")} ${many === 1 ? "task" : "tasks"} in ${found.levels.length.toLocaleString("en")} ${found.levels.length === 1 ? "level" : "levels"}`;
    setText(this.hint, words);
    this.scroll.setAttribute("aria-label", `Graph: ${words}. The table below says the same.`);
    this.connect();
  }

  node(name) {
    const mark = h("span", { class: "symbol" });
    const element = h("button", { type: "button", class: "node", tabindex: "-1", title: name, onclick: () => this.open(name, null) }, mark, h("span", { class: "label" }, name));
    this.nodes.set(name, { element, mark });
    this.update(name);
    return element;
  }

  knows(name) {
    return this.nodes.has(name);
  }

  update(name) {
    const node = this.nodes.get(name);
    if (!node) return;
    const row = this.rows.get(`task ${name}`);
    const state = row ? row.state : "PENDING";
    if (node.state === state) return;
    node.state = state;
    node.element.className = `node ${tone(state)} ${state}`;
    node.element.title = `${name}: ${state}`;
    setText(node.mark, symbol(state));
  }

  drawEdges() {
    const width = this.canvas.scrollWidth;
    const height = this.canvas.scrollHeight;
    this.lines.setAttribute("width", width);
    this.lines.setAttribute("height", height);
    const paths = [];
    for (const [from, to] of this.edges) {
      const one = this.nodes.get(from);
      const other = this.nodes.get(to);
      if (!one || !other) continue;
      const x1 = one.element.offsetLeft + one.element.offsetWidth;
      const y1 = one.element.offsetTop + one.element.offsetHeight / 2;
      const x2 = other.element.offsetLeft;
      const y2 = other.element.offsetTop + other.element.offsetHeight / 2;
      const bend = Math.max(12, (x2 - x1) / 2);
      paths.push(svg("path", { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }));
    }
    fill(this.lines, paths);
  }
}
