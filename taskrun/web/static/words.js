// How states, times and names read: the same words and symbols as in the terminal.

import { h } from "./dom.js";

const STATES = {
  PENDING: ["○", "soft"],
  RUNNING: ["●", "busy"],
  SUCCESS: ["✓", "good"],
  FAILURE: ["✗", "bad"],
  RETRYING: ["↻", "warn"],
  REVERTING: ["◂", "undo"],
  REVERTED: ["↶", "undo"],
  REVERT_FAILURE: ["!", "bad"],
  IGNORE: ["⊘", "soft"],
  UNKNOWN: ["?", "warn"],
  SUSPENDING: ["‖", "warn"],
  SUSPENDED: ["‖", "warn"],
  RESUMING: ["●", "busy"],
  INTERRUPTED: ["!", "warn"],
};

export const UNDER_WAY = ["RUNNING", "RETRYING", "REVERTING"];
export const RUN_UNDER_WAY = ["PENDING", "RUNNING", "REVERTING", "SUSPENDING", "RESUMING"];

export const symbol = (state) => (STATES[state] || ["?", "warn"])[0];
export const tone = (state) => (STATES[state] || ["?", "warn"])[1];

export function chip(state, more = "") {
  return h(
    "span",
    { class: `chip ${tone(state)} ${more}`, "data-state": state },
    h("span", { class: "symbol", "aria-hidden": "true" }, symbol(state)),
    h("span", { class: "word" }, state.replace("_", " ")),
  );
}

export function setChip(element, state) {
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  element.className = `chip ${tone(state)}`;
  element.firstChild.textContent = symbol(state);
  element.lastChild.textContent = state.replace("_", " ");
}

export function duration(seconds) {
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  return long(Math.round(seconds));
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 60 ? `${whole} s` : long(whole);
}

function long(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(seconds / 3600);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  return `${Math.floor(seconds / 86400)}d${two(hours % 24)}h`;
}

export function moment(seconds) {
  const at = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

// Of an event's time, with its milliseconds, as the clock on the wall showed it.
export function timeOfDay(text) {
  const at = new Date(text);
  const [hours, minutes, seconds] = [at.getHours(), at.getMinutes(), at.getSeconds()].map((number) => String(number).padStart(2, "0"));
  return `${hours}:${minutes}:${seconds}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

export function ago(seconds) {
  const past = Date.now() / 1000 - seconds;
  if (past < 10) return "just now";
  if (past < 60) return `${Math.floor(past)} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return moment(seconds).slice(0, 10);
}

export const counted = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

const SHORT = 80; // characters of a value that stays on one line

export function shown(value) {
  if (typeof value === "string") return value;
  const short = JSON.stringify(value);
  return short.length <= SHORT ? short : JSON.stringify(value, null, 1);
}
