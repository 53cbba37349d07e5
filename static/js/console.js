// The request console: Ctrl-Enter sends, the draft outlives other tabs of the page, and what was sent can be replayed.
// Both are kept in this browser tab alone, without what looks like a credential: here by a header's name, for a replay as the server says.
const DRAFT = "keys:draft";
const HISTORY = "keys:history";
const MOST = 30;
const LONGEST_BODY = 100_000;
const FIELDS = ["key", "method", "url", "headers", "body"];
const form = document.getElementById("request-form");
const list = document.getElementById("history");

function recall(name, fallback) {
  try {
    return JSON.parse(sessionStorage.getItem(name)) ?? fallback;
  } catch {
    return fallback;
  }
}

function remember(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // No room, or not allowed: the console works without a memory.
  }
}

function read() {
  return Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value]));
}

const SECRET = /^\s*(authorization|proxy-authorization|cookie|[^:]*(key|token|secret|password)[^:]*):/i;

function draftOf(request) {
  return { ...request, headers: request.headers.split("\n").filter((line) => !SECRET.test(line)).join("\n") };
}

function fill(request) {
  for (const name of FIELDS) form.elements[name].value = request[name] ?? "";
  if (form.elements.key.selectedIndex < 0) form.elements.key.value = ""; // the key is gone
  remember(DRAFT, draftOf(read()));
}

// History: what was sent, also what got no answer and so has no status ---------------------------------------------
function tone(status) {
  if (status === null) return "bad";
  if (status < 400) return "ok";
  return status < 500 ? "warn" : "bad";
}

function part(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

function entry(sent) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = "Fill in this request again";
  const where = sent.key_name ? `${sent.key_name} ${sent.url}` : sent.url;
  button.append(part("method", sent.method), part("where", where), part(`status-text ${tone(sent.status)}`, String(sent.status ?? "failed")), part("ago", `${sent.ms} ms`));
  button.addEventListener("click", () => { fill(sent); form.elements.url.focus(); });
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function show() {
  list.replaceChildren(...recall(HISTORY, []).map(entry));
}

function note() {
  const element = document.getElementById("sent-request");
  if (!element || element.dataset.noted) return;
  element.dataset.noted = "true";
  const sent = JSON.parse(element.textContent);
  if (sent.body.length > LONGEST_BODY) sent.body = "";
  remember(HISTORY, [sent, ...recall(HISTORY, [])].slice(0, MOST));
  show();
}

// Events -----------------------------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  if (!event.target.closest("#request-form") || event.target.matches("[data-json]")) return; // the body's own key is in functions.js
  event.preventDefault();
  form.requestSubmit(form.querySelector("[data-send]"));
});

form.addEventListener("input", () => remember(DRAFT, draftOf(read())));

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-clear-history]")) { remember(HISTORY, []); show(); }
  if (event.target.closest("[data-clear-draft]")) {
    event.preventDefault();
    fill({ method: "GET" });
  }
});

// A cURL command that is pasted where an address belongs goes where it can be read.
form.elements.url.addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text");
  if (!/^\s*(\$\s*)?curl\s/.test(text)) return;
  event.preventDefault();
  const pasted = document.getElementById("id_curl");
  pasted.value = text;
  pasted.form.requestSubmit();
});

document.addEventListener("htmx:afterSwap", note);

// Where the answer stands below the form, whoever sent something is taken to it.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "answer") return;
  const answer = document.getElementById("answer");
  if (answer.getBoundingClientRect().top > window.innerHeight) answer.scrollIntoView({ block: "start" });
});

const draft = recall(DRAFT, null);
if (draft && !("draftGiven" in form.dataset)) fill(draft);
show();
note();
