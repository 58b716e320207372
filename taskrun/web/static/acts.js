// Wishes. Each is shown first: what will run in which order, and the command line that does the same.

import { get, post } from "./api.js";
import { byId, fill, h, setText } from "./dom.js";
import { counted } from "./words.js";

const LABELS = {
  suspend: ["Suspend", "Suspend"],
  cancel: ["Cancel", "Cancel and roll back"],
  resume: ["Resume", "Resume"],
  revert: ["Revert", "Revert"],
  resolve: ["Resolve", "Record it"],
  approve: ["Approve", "Approve and go on"],
  decline: ["Decline", "Decline and roll back"],
  skip: ["Give up its undo", "Give it up and go on"],
};
const FOR_GOOD = ["cancel", "revert", "decline", "skip"];
const RETRY = "--retry"; // no savepoint has such a name

export function button(act, work) {
  const element = h("button", { type: "button", "data-verb": act.verb, class: act.verb === "resume" || act.verb === "approve" ? "act main" : "act" }, `${LABELS[act.verb][0]}…`);
  if (act.task) element.setAttribute("aria-label", `${LABELS[act.verb][0]} ${act.task}`);
  element.addEventListener("click", () => work(element));
  return element;
}

export class Asking {
  constructor(run, say) {
    this.run = run;
    this.say = say;
    this.dialog = byId("dialog");
    this.dialog.addEventListener("close", () => this.from && this.from.isConnected && this.from.focus());
  }

  async ask(act, from) {
    this.act = act;
    this.from = from;
    this.word = "";
    this.build();
    this.dialog.showModal();
    await this.look();
  }

  build() {
    const [, label] = LABELS[this.act.verb];
    this.title = h("h2", { id: "dialog-title" }, `${LABELS[this.act.verb][0]}…`);
    this.question = h("p", { class: "question" });
    this.words = h("p", {});
    this.options = h("div", { class: "options" });
    this.steps = h("ol", { class: "steps", tabindex: "0", "aria-label": "What will run, in order" });
    this.left = h("div", { class: "left" });
    this.then = h("p", { class: "then" });
    this.warnings = h("div", {});
    this.command = h("pre", { class: "command" });
    this.error = h("p", { class: "warning", role: "alert", hidden: true });
    this.yes = h("button", { type: "button", id: "confirm", class: FOR_GOOD.includes(this.act.verb) ? "act danger" : "act main", disabled: true, onclick: () => this.carryOut() }, label);
    const copy = h("button", { type: "button", class: "quiet", onclick: () => this.copy(copy) }, "Copy");
    fill(
      this.dialog,
      h("div", { class: "sheet" }, this.title, this.question, this.options, this.words, this.steps, this.left, this.then, this.warnings,
        h("div", { class: "equal" }, h("div", { class: "row" }, h("h3", {}, "The same in a terminal"), copy), this.command), this.error),
      h("div", { class: "foot" }, h("button", { type: "button", class: "act", onclick: () => this.dialog.close() }, "Back"), this.yes),
    );
    this.built = false;
  }

  async copy(from) {
    try {
      await navigator.clipboard.writeText(this.command.textContent);
      setText(from, "Copied");
    } catch {
      setText(from, "Select it by hand");
    }
  }

  // The choice a person has made so far.
  wish() {
    const found = { verb: this.act.verb, task: this.act.task || "" };
    if (this.word) found.word = this.word;
    if (this.reason && this.reason.value.trim()) found.reason = this.reason.value.trim();
    if (this.savepoint && this.savepoint.value === RETRY) found.retry = true;
    else if (this.savepoint && this.savepoint.value) found.savepoint = this.savepoint.value;
    if (this.file) found.file = this.file;
    if (this.force && this.force.checked) found.force = true;
    return found;
  }

  outputs() {
    const text = this.values && !this.values.parentElement.hidden ? this.values.value.trim() : "";
    const found = {};
    for (const line of text ? text.split("\n") : []) {
      const [, name, value] = line.match(/^\s*([^=]+?)\s*=(.*)$/) || [];
      if (!name) throw new Error(`outputs are lines of NAME=VALUE, not ${line}`);
      try {
        found[name] = JSON.parse(value);
      } catch {
        found[name] = value.trim();
      }
    }
    return found;
  }

  async look() {
    this.yes.disabled = true;
    this.error.hidden = true;
    let found;
    try {
      const outputs = this.outputs();
      const more = Object.keys(outputs).length ? { outputs: JSON.stringify(outputs) } : {};
      found = await get(`/api/runs/${this.run}/preview`, { ...this.wish(), ...more });
    } catch (error) {
      if (this.built) this.clear();
      this.refuse(error);
      return;
    }
    this.found = found;
    if (!this.built) this.buildOptions(found);
    this.draw(found);
    const missing = (found.reason === "needed" && !this.wish().reason) || (found.choices.length && !this.word) || (found.behind_pivot && !found.steps.length);
    this.yes.disabled = Boolean(missing);
  }

  // What was shown is not what would be done now.
  clear() {
    this.draw({ ...this.found, words: "", steps: [], more_steps: 0, left: [], then: "", warnings: [], commands: [] });
  }

  buildOptions(found) {
    this.built = true;
    this.reason = this.savepoint = this.values = this.force = this.difference = null;
    this.file = found.files.length ? "original" : "";
    const options = [];
    if (found.choices.length) {
      const radios = found.choices.map(([word, words]) => h("label", { class: "check" }, h("input", { type: "radio", name: "word", value: word, onchange: () => this.choose(word) }), ` ${words}`));
      options.push(h("fieldset", {}, h("legend", {}, "What is it?"), radios));
      this.values = h("textarea", { rows: "2", id: "values", placeholder: "id=42", spellcheck: "false", onchange: () => this.look() });
      const box = h("label", { class: "field", hidden: true }, "Outputs of the task, a line of NAME=VALUE each", this.values);
      options.push(box);
    }
    if (found.files.length) {
      const radios = found.files.map(([word, words]) => h("label", { class: "check" }, h("input", { type: "radio", name: "file", value: word, checked: word === "original", onchange: () => this.chooseFile(word) }), ` ${words}`));
      this.difference = h("pre", { class: "diff", tabindex: "0", "aria-label": "What has changed in the file" });
      options.push(h("fieldset", {}, h("legend", {}, "The file has changed. Go on with it"), radios), this.difference);
    }
    if (found.savepoints.length || found.can_retry) {
      const retry = found.can_retry ? [h("option", { value: RETRY }, "only what failed to be undone: try that again")] : [];
      this.savepoint = h("select", { id: "undo", onchange: () => this.look() }, h("option", { value: "" }, "all of the run"), retry, found.savepoints.map((name) => h("option", { value: name }, `only what came after ${name}`)));
      options.push(h("label", { class: "field" }, "Undo", this.savepoint));
    }
    if (found.behind_pivot) {
      this.force = h("input", { type: "checkbox", id: "force", onchange: () => this.look() });
      options.push(h("label", { class: "check", for: "force" }, this.force, " Undo it all the same, also behind the point of no return"));
    }
    if (found.reason) {
      this.reason = h("input", { type: "text", id: "reason", maxlength: "500", autocomplete: "off", oninput: () => this.lookSoon() });
      options.push(h("label", { class: "field" }, found.reason === "needed" ? "Why (kept in the history; needed)" : "Why (kept in the history)", this.reason));
    }
    fill(this.options, options);
  }

  choose(word) {
    this.word = word;
    if (this.values) this.values.parentElement.hidden = word !== "done";
    this.look();
  }

  chooseFile(word) {
    this.file = word;
    this.look();
  }

  lookSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), 250);
  }

  draw(found) {
    setText(this.title, found.title);
    setText(this.words, found.words);
    setText(this.question, found.question || "");
    if (this.difference) fill(this.difference, (found.difference || []).map(changed));
    fill(this.steps, found.steps.map(step));
    this.steps.hidden = !found.steps.length;
    if (found.more_steps) this.steps.append(h("li", { class: "soft" }, `and ${counted(found.more_steps, "more task")}`));
    fill(this.left, found.left.length ? [h("h3", {}, "What stays"), h("ul", {}, found.left.map(([name, why]) => h("li", {}, h("strong", {}, name), ` ${why}`)))] : []);
    setText(this.then, found.then);
    fill(this.warnings, found.warnings.map((text) => h("p", { class: "warning" }, `! ${text}`)));
    setText(this.command, found.commands.join("\n"));
  }

  refuse(error) {
    this.error.hidden = false;
    setText(this.error, `! ${error.message}${error.hint ? `\n${error.hint}` : ""}`);
  }

  async carryOut() {
    this.yes.disabled = true;
    this.error.hidden = true;
    try {
      const said = await post(`/api/runs/${this.run}/act`, { ...this.wish(), outputs: this.outputs(), seq: this.found.seq, seen: this.found.seen });
      this.dialog.close();
      this.say(`Done: ${said.done}.`);
    } catch (error) {
      this.refuse(error);
      if (error.status === 409 && /look again/.test(error.message)) await this.lookAgain(error);
      else this.yes.disabled = false;
    }
  }

  async lookAgain(error) {
    await this.look();
    this.refuse(error);
  }
}

const CHANGED = { "+": "new", "-": "old", "@": "soft" };

function changed(line) {
  const kind = /^(\+\+\+|---) /.test(line) ? "soft" : CHANGED[line[0]];
  return h("span", { class: kind || null }, `${line}\n`);
}

const WHAT = { do: ["▸", "do"], undo: ["↶", "undo"], wait: ["●", "ends by itself"] };

function step(each) {
  const [symbol, word] = WHAT[each.what];
  const lines = (each.command || "").split("\n");
  const text = lines.length > 6 ? [...lines.slice(0, 5), `… ${lines.length - 5} more lines`].join("\n") : lines.join("\n");
  return h(
    "li", { class: each.what },
    h("div", { class: "what" }, h("span", { "aria-hidden": "true", class: "symbol" }, symbol), h("span", { class: "soft" }, ` ${word} `), h("strong", {}, each.name), each.action ? h("span", { class: "soft" }, ` ${each.action}`) : null, each.note ? h("span", { class: "soft" }, ` ${each.note}`) : null),
    text ? h("pre", {}, text) : null,
  );
}
