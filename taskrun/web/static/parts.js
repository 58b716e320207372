// The other parts of a run: what went in and came out, every event, and the file.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { chip, shown, timeOfDay, tone } from "./words.js";

export class Data {
  constructor(run, about) {
    this.run = run;
    this.outputs = h("div", {});
    const inputs = Object.entries(about.inputs);
    const secrets = about.secrets.map((name) => [name, "***"]);
    this.elements = [
      h("section", { class: "block" }, h("h2", {}, "Inputs"), inputs.length ? values(inputs) : h("p", { class: "soft" }, "None."), secrets.length ? [h("h3", {}, "Secrets"), values(secrets)] : []),
      h("section", { class: "block" }, h("h2", {}, "Outputs"), this.outputs),
    ];
  }

  async shown() {
    try {
      const found = await get(`/api/runs/${this.run}/outputs`);
      const many = found.tasks.map(([name, outputs]) => [h("h3", {}, h("a", { class: "task", href: `#task=${encodeURIComponent(name)}` }, name)), values(Object.entries(outputs))]);
      fill(this.outputs, many.length ? many : h("p", { class: "soft" }, "No task has given any."), found.more ? h("p", { class: "soft" }, "There are more: see the tasks themselves.") : null);
    } catch (error) {
      fill(this.outputs, h("p", { class: "warning" }, error.message));
    }
  }

  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.shown(), 500);
  }
}

export function values(pairs) {
  return h("dl", { class: "values" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, h("code", {}, shown(value))))));
}

const EVENTS = 1000; // kept on the page

export class Events {
  constructor(run) {
    this.run = run;
    this.list = h("tbody", { role: "rowgroup" });
    this.last = 0;
    this.loaded = false;
    this.more = h("button", { class: "more", type: "button", hidden: true, onclick: () => this.load() }, "Show the next events");
    this.note = h("p", { class: "soft" }, "Every line of the journal, in its order.");
    this.elements = [h("section", { class: "block" }, this.note, h("table", { role: "table", class: "events" }, h("caption", { class: "unseen" }, "Events"), h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ["No.", "Time", "What", "State", "More"].map((title) => h("th", { scope: "col", role: "columnheader" }, title)))), this.list), this.more)];
  }

  async shown() {
    if (!this.loaded) await this.load();
  }

  async load() {
    this.loaded = true;
    const found = await get(`/api/runs/${this.run}/events`, { after: String(this.last) });
    this.add(found.events);
    this.more.hidden = !found.more;
  }

  take(events) {
    if (this.loaded && this.more.hidden) this.add(events);
  }

  add(events) {
    const fresh = events.filter((event) => event.seq > this.last);
    if (!fresh.length) return;
    this.last = fresh[fresh.length - 1].seq;
    this.list.append(...fresh.map(line));
    while (this.list.children.length > 5 * EVENTS) this.list.firstChild.remove();
  }
}

const HEAD = ["v", "seq", "time", "run", "kind", "name", "old_state", "state", "attempt"];

function line(event) {
  const more = Object.entries(event).filter(([name, value]) => !HEAD.includes(name) && value !== null && !(name === "outputs" && !Object.keys(value).length));
  const what = event.kind === "flow" ? "run" : event.kind;
  return h(
    "tr", { role: "row", id: `event-${event.seq}` },
    h("td", { role: "cell", class: "number" }, String(event.seq)),
    h("td", { role: "cell", class: "time" }, timeOfDay(event.time)),
    h("th", { scope: "row", role: "rowheader" }, h("span", { class: "soft" }, `${what} `), event.name, event.attempt > 1 ? h("span", { class: "nth" }, `attempt ${event.attempt}`) : null),
    h("td", { role: "cell", class: "state" }, event.state ? chip(event.state) : null),
    h("td", { role: "cell", class: "more" }, more.map(([name, value]) => h("div", {}, h("span", { class: "soft" }, `${name} `), name === "failure" ? `${value.type}: ${value.message}` : shown(value)))),
  );
}

const LINES = 2000; // of a long file in the document, before somebody asks for more

export class Source {
  constructor(run, open) {
    this.run = run;
    this.open = open;
    this.place = h("div", { class: "code", tabindex: "0", role: "region", "aria-label": "The workflow file" });
    this.note = h("p", { class: "soft" }, "The file that the run goes by. Lines of tasks in trouble are marked.");
    this.elements = [h("section", { class: "block" }, this.note, this.place)];
  }

  async shown() {
    try {
      const found = await get(`/api/runs/${this.run}/source`);
      if (found.missing) fill(this.place, h("p", { class: "soft" }, "The file is not there any more: the run's directory was removed."));
      else this.draw(found);
    } catch (error) {
      fill(this.place, h("p", { class: "warning" }, error.message));
    }
  }

  changed(run) {
    const known = JSON.stringify([run.failed, run.not_undone, run.unknown]);
    if (this.known !== known) this.shown();
    this.known = known;
  }

  draw(found) {
    const marks = new Map();
    for (const mark of found.marks) for (let number = mark.from; number <= mark.to; number += 1) marks.set(number, mark);
    this.lines = found.lines;
    this.marks = marks;
    const first = found.marks.length ? found.marks[0].from - 1 : 0;
    this.from = found.lines.length > LINES ? Math.max(0, first - LINES / 4) : 0;
    this.to = Math.min(found.lines.length, this.from + LINES);
    this.earlier = h("button", { class: "more", type: "button", onclick: () => this.extend(-1) }, "Show earlier lines");
    this.later = h("button", { class: "more", type: "button", onclick: () => this.extend(1) }, "Show later lines");
    fill(this.place, this.earlier, this.made(this.from, this.to), this.later);
    this.offer();
    const marked = this.place.querySelector(".marked");
    if (marked) marked.scrollIntoView({ block: "center" });
  }

  offer() {
    this.earlier.hidden = this.from === 0;
    this.later.hidden = this.to === this.lines.length;
  }

  extend(way) {
    if (way < 0) {
      const from = Math.max(0, this.from - LINES);
      const height = this.place.scrollHeight;
      this.earlier.after(...this.made(from, this.from));
      this.place.scrollTop += this.place.scrollHeight - height;
      this.from = from;
    } else {
      const to = Math.min(this.lines.length, this.to + LINES);
      this.later.before(...this.made(this.to, to));
      this.to = to;
    }
    this.offer();
  }

  made(from, to) {
    return this.lines.slice(from, to).map((text, at) => {
      const i = from + at;
      const mark = this.marks.get(i + 1);
      const first = mark && mark.from === i + 1;
      return h("div", { class: mark ? `line marked ${tone(mark.state)}` : "line", id: `yaml-${i + 1}` }, h("span", { class: "n", "aria-hidden": "true" }, String(i + 1)), h("span", { class: "t" }, text || " "), first ? h("button", { type: "button", class: "flag", onclick: () => this.open(mark.task) }, chip(mark.state)) : null);
    });
  }
}

