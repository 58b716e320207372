// Asking the server, and being told by it.

export class Refused extends Error {
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint || "";
  }
}

async function answer(response) {
  let found = {};
  try {
    found = await response.json();
  } catch {
    // what is no JSON has only its status to say
  }
  if (!response.ok) throw new Refused(response.status, found.error || `the server said ${response.status}`, found.hint);
  return found;
}

export async function get(path, query = {}) {
  const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== undefined));
  const asked = words.size ? `${path}?${words}` : path;
  return answer(await fetch(asked, { headers: { Accept: "application/json" } }));
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

const AGAIN = 1500; // milliseconds

// Follows `path` from event `last` on. While nobody looks at the page it is not followed: a browser has few
// connections for one server. `tell(data)` gets every event once; `status` is "live", "waiting" or "out"; it ends when it is `over`.
export function follow(path, last, tell, status, over = () => false) {
  let source = null;
  let timer = null;

  const open = () => {
    timer = null;
    if (source || document.hidden || over()) return;
    source = new EventSource(`${path}?after=${last}`);
    source.onopen = () => status("live");
    source.onmessage = (message) => {
      if (message.lastEventId) last = Number(message.lastEventId);
      tell(JSON.parse(message.data));
      if (over()) close();
    };
    source.onerror = async () => {
      status("waiting");
      if (source && source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      source = null;
      if (await isOut()) status("out");
      timer = timer || setTimeout(open, AGAIN);
    };
  };

  const close = () => {
    if (source) source.close();
    source = null;
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}

async function isOut() {
  try {
    return (await fetch("/api/runs", { method: "HEAD" })).status === 401;
  } catch {
    return false;
  }
}

const WORDS = {
  live: "Live",
  waiting: "Connection lost, trying again",
  out: "Signed out: open the link that taskrun web has printed",
};

export function showStatus(element, what) {
  element.dataset.status = what;
  if (element.textContent !== WORDS[what]) element.textContent = WORDS[what];
}

export function showRefusal(element, error) {
  const signedOut = error.status === 401;
  element.hidden = false;
  element.textContent = signedOut
    ? "You are not signed in. Open the link that `taskrun web` has printed in its terminal; each link works once."
    : `${error.message}${error.hint ? ` (${error.hint})` : ""}`;
}
