// One task: what is known of it and what it has printed, line by line, with an address for each.

import { get } from "./api.js";
import { button } from "./acts.js";
import { fill, h, setText } from "./dom.js";
import { values } from "./parts.js";
import { UNDER_WAY, chip, setChip } from "./words.js";

const LOOK_EVERY = 700; // milliseconds, while it is followed
const MOST = 4000; // lines on the page, while they are followed
const FAR_BEHIND = 500000; // bytes: then the last lines are shown at once

export class Detail {
  constructor(run, rows, place, doors) {
    this.run = run;
    this.rows = rows;
    this.place = place;
    this.doors = doors;
    this.task = null;
    this.file = null;
    this.build();
  }

  build() {
    this.chip = chip("PENDING");
    this.name = h("h2", { tabindex: "-1", id: "detail-name" });
    this.facts = h("div", { class: "about" });
    this.buttons = h("div", { class: "buttons" });
    this.select = h("select", { "aria-label": "Which output" });
    this.select.addEventListener("change", () => this.doors.go({ file: this.select.value, line: null }));
    this.followed = h("input", { type: "checkbox", id: "follow", checked: true });
    this.following = h("label", { class: "check", for: "follow" }, this.followed, " Follow");
    this.search = h("input", { type: "search", placeholder: "Search output", "aria-label": "Search output", autocomplete: "off", spellcheck: "false" });
    this.search.addEventListener("input", () => this.searchSoon());
    this.found = h("div", { class: "found", role: "status" });
    this.earlier = h("button", { type: "button", class: "more", hidden: true, onclick: () => this.loadEarlier() }, "Show earlier lines");
    this.lines = h("div", { class: "lines" });
    this.rest = h("div", { class: "line unfinished" }, h("span", { class: "n", "aria-hidden": "true" }), h("span", { class: "t" }));
    this.note = h("p", { class: "soft" });
    this.later = h("button", { type: "button", class: "more", hidden: true, onclick: () => this.read({ start: String(this.end) }) }, "Show later lines");
    this.log = h("div", { class: "code log", tabindex: "0", role: "region", "aria-label": "Output" }, this.earlier, this.lines, this.rest, this.later);
    this.log.addEventListener("scroll", () => {
      const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 30;
      if (!atEnd && this.live && this.log.scrollTop < (this.before || 0)) this.followed.checked = false;
      this.before = this.log.scrollTop;
    });
    this.followed.addEventListener("change", () => this.followed.checked && this.toEnd());
    this.output = h("section", { class: "output", "aria-label": "What it has printed" },
      h("div", { class: "tools" }, this.select, this.search, this.following), this.found, this.note, this.log);
    fill(this.place, h("div", { class: "row" }, h("div", { class: "title" }, this.name, this.chip), h("button", { type: "button", class: "close", "aria-label": "Close the task (Escape)", onclick: () => this.doors.close() }, "×")), this.buttons, this.facts, this.output);
  }

  async show(task, file, line) {
    const same = task === this.task;
    if (same && (file === null || file === this.file) && (line === this.line || line === null)) return;
    if (!same) {
      this.from = document.activeElement;
      this.task = task;
      this.file = null;
      this.search.value = "";
      fill(this.found);
    }
    this.place.hidden = false;
    this.line = line;
    setText(this.name, task);
    if (!same) this.name.focus();
    await this.load();
    if (this.task === task) await this.choose(file || this.newest(), line);
  }

  hide() {
    if (this.place.hidden) return;
    this.place.hidden = true;
    this.task = null;
    clearTimeout(this.timer);
    if (this.from && this.from.isConnected) this.from.focus();
  }

  changed(keys) {
    if (!this.task || !keys.includes(`task ${this.task}`)) return;
    const newest = this.newest();
    this.load().then(() => {
      const now = this.newest();
      if (this.task && now !== newest && (this.file === newest || !this.file)) this.choose(now, null);
      else this.lookSoon(0);
    });
  }

  newest() {
    const files = this.files || [];
    const err = files[files.length - 1];
    return err ? err.id : null;
  }

  async load() {
    const task = this.task;
    let found;
    try {
      found = await get(`/api/runs/${this.run}/task`, { name: task });
    } catch (error) {
      fill(this.facts, h("p", { class: "warning" }, error.message));
      this.files = [];
      return;
    }
    if (task !== this.task) return;
    const row = this.rows.get(`task ${task}`) || {};
    this.files = found.files;
    setChip(this.chip, found.state);
    const acts = this.doors.acts().filter((act) => act.task === task);
    fill(this.buttons, acts.map((act) => button(act, (from) => this.doors.ask(act, from))));
    const outputs = Object.entries(found.outputs);
    fill(
      this.facts,
      found.failure ? trouble("Failed", found.failure) : null,
      found.undo_failure ? trouble("Not undone", found.undo_failure) : null,
      found.reason ? h("p", {}, `Cannot be undone: ${found.reason}`) : null,
      found.given_up ? h("p", {}, `Its undo was given up: ${found.given_up}`) : null,
      found.message ? h("p", { class: "message" }, found.message) : null,
      row.action ? h("p", { class: "soft" }, `Action ${row.action}${row.flow ? `, in ${row.flow}` : ""}`) : null,
      outputs.length ? [h("h3", {}, "Outputs"), values(outputs)] : [],
      found.unreadable.length ? h("p", { class: "warning" }, `! Output is not shown: it may hold secrets that cannot be read here (${found.unreadable.join(", ")}).`) : null,
    );
    const wanted = this.files.map((each) => h("option", { value: each.id }, `${each.title} (${size(each.size)})`));
    fill(this.select, wanted);
    if (this.file) this.select.value = this.file;
    this.output.hidden = !this.files.length;
  }

  async choose(file, line) {
    this.file = file;
    fill(this.lines);
    this.clearRest();
    this.start = this.end = null;
    if (!file) return;
    this.select.value = file;
    if (line) await this.openAt(line);
    else await this.read({});
    this.lookSoon();
  }

  async openAt(line) {
    this.followed.checked = false;
    await this.read({ line: String(line) });
    const element = this.lines.querySelector(`[data-n="${line}"]`);
    if (element) {
      element.classList.add("target");
      element.scrollIntoView({ block: "center" });
    }
  }

  async read(query) {
    const { task, file } = this;
    let found;
    try {
      found = await get(`/api/runs/${this.run}/output`, { name: task, file, ...query });
    } catch (error) {
      setText(this.note, error.message);
      return;
    }
    if (task !== this.task || file !== this.file) return;
    setText(this.note, "");
    this.live = found.live;
    this.following.hidden = !found.live;
    const lines = found.text.split("\n");
    if (lines[lines.length - 1] === "") lines.pop();
    if (query.end !== undefined) {
      const height = this.log.scrollHeight;
      this.lines.prepend(...this.made(lines, found.line));
      this.start = found.start;
      this.log.scrollTop += this.log.scrollHeight - height;
    } else {
      if (this.start === null) {
        this.start = found.start;
      }
      this.lines.append(...this.made(lines, found.line));
      this.end = found.end;
      this.cut();
    }
    const rest = found.unfinished || "";
    this.rest.hidden = !rest || !found.live;
    setText(this.rest.lastChild, rest);
    this.earlier.hidden = this.start === 0;
    if (query.end !== undefined) return;
    const behind = found.size - found.end;
    this.later.hidden = behind <= 0 || found.end === found.start || (found.live && this.followed.checked);
    if (found.live && this.followed.checked && behind > FAR_BEHIND) await this.choose(file, null);
    else if (query.line === undefined && (this.followed.checked || !found.live) && !query.start) this.toEnd();
    else if (query.start !== undefined && found.live && this.followed.checked) this.toEnd();
  }

  made(lines, first) {
    return lines.map((text, i) => {
      const number = first + i;
      const link = h("a", { class: "n", href: this.address(number), "aria-label": `Line ${number}` }, String(number));
      return h("div", { class: "line", "data-n": number }, link, h("span", { class: "t" }, text || " "));
    });
  }

  address(number) {
    return `#${new URLSearchParams({ task: this.task, file: this.file, line: String(number) })}`;
  }

  cut() {
    while (this.lines.children.length > MOST && this.followed.checked) {
      this.lines.firstChild.remove();
      this.earlier.hidden = true;
    }
  }

  clearRest() {
    this.rest.hidden = true;
    setText(this.rest.lastChild, "");
  }

  loadEarlier() {
    return this.read({ end: String(this.start) });
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.before = this.log.scrollTop;
  }

  lookSoon(wait = LOOK_EVERY) {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const row = this.rows.get(`task ${this.task}`);
      if (!this.task || !this.file || !row) return;
      const was = this.live;
      if (!document.hidden && was && this.end !== null && (this.followed.checked || this.later.hidden)) await this.read({ start: String(this.end) });
      if (was || UNDER_WAY.includes(row.state)) this.lookSoon();
    }, wait);
  }

  searchSoon() {
    clearTimeout(this.searching);
    this.searching = setTimeout(() => this.find(), 250);
  }

  async find() {
    const text = this.search.value;
    if (!text || !this.file) {
      fill(this.found);
      return;
    }
    try {
      const found = await get(`/api/runs/${this.run}/search`, { name: this.task, file: this.file, text });
      if (text !== this.search.value) return;
      const many = found.found.length;
      const items = found.found.slice(0, 100).map((each) => h("li", {}, h("a", { href: this.address(each.line) }, h("span", { class: "n" }, String(each.line)), " ", marked(each.text, text))));
      fill(this.found, h("p", { class: "soft" }, many ? `${many}${found.more ? " or more" : ""} ${many === 1 ? "line" : "lines"}` : "No line has that."), many ? h("ol", {}, items) : null);
    } catch (error) {
      fill(this.found, h("p", { class: "warning" }, error.message));
    }
  }
}

function marked(line, text) {
  const at = line.toLowerCase().indexOf(text.toLowerCase());
  if (at < 0) return [line];
  return [line.slice(0, at), h("mark", {}, line.slice(at, at + text.length)), line.slice(at + text.length)];
}

function trouble(title, failure) {
  return h("p", { class: "trouble-text" }, h("strong", {}, `✗ ${title}: `), `${failure.type || ""}${failure.message ? `: ${failure.message}` : ""}`);
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}
