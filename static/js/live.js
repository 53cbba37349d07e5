// The live connection: the server says what changed ({type, id, account}), the page fetches those parts again.
//
//   <section data-live="snapshot:12 account" hx-get="/…" hx-trigger="live">…</section>
//
// data-live-pause="4000": a part that is dear to make waits that many milliseconds and is then fetched once.
// A name is a type ("snapshot": any) or a type and an id ("snapshot:12"). Bursts are folded into one fetch per part.
// After a lost connection every part is fetched, because what happened meanwhile was not heard; after the first one those that
// move ([aria-busy=true]), because they may have moved between the page and the connection.
const FOLD_MS = 250;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30000;
const SIGNED_OUT = 4401; // the close code of cloudconsole/realtime/consumers.py
const POLL_MS = 5000; // only for parts that move, only while there is no connection
const MOVING = "[data-live][aria-busy=true], [data-live]:has([aria-busy=true])";

const indicator = document.querySelector("[data-live-indicator]");
const waiting = new Map();
let attempts = 0;
let lost = false;
let socket = null;
let timer = 0;

const WORDS = {
  live: ["Live", "Changes appear by themselves"],
  reconnecting: ["Reconnecting", "The live connection was lost; trying again"],
  out: ["Signed out", "Reload the page to sign in again"],
  off: ["Not live", "No live connection; reload the page to see changes"],
};

function show(state) {
  if (!indicator || indicator.dataset.state === state) return;
  indicator.dataset.state = state;
  indicator.title = WORDS[state][1];
  indicator.querySelector(".label").textContent = WORDS[state][0];
}

function refresh(element) {
  if (waiting.has(element)) return;
  waiting.set(element, setTimeout(() => {
    waiting.delete(element);
    if (element.isConnected && !inUse(element)) window.htmx.trigger(element, "live");
  }, Number(element.dataset.livePause ?? FOLD_MS)));
}

// A reader who types there or has opened something there is not interrupted.
function inUse(element) {
  const typing = document.activeElement?.closest("input, select, textarea");
  return (typing && element.contains(typing)) || element.querySelector("details[open]:not([data-open-by-server])") !== null;
}

// Whoever reads by keyboard stays at the same link or button when the part around it comes anew; htmx itself does so by id.
let place = null;

function wordsOf(element) {
  return [element.tagName, element.getAttribute("href"), element.getAttribute("aria-label") ?? element.textContent.trim()].join(" ");
}

function alike(element) {
  return [...document.querySelectorAll("main :is(a, button, [tabindex])")].filter((one) => wordsOf(one) === wordsOf(element));
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const focused = document.activeElement;
  const isWithin = focused && !focused.id && detail.target.matches?.("[data-live]") && detail.target.contains(focused);
  if (isWithin) place = { focused, at: alike(focused).indexOf(focused) };
});

document.addEventListener("htmx:afterSettle", () => {
  if (!place || place.focused.isConnected) return;
  if (document.activeElement === document.body) alike(place.focused)[place.at]?.focus({ preventScroll: true });
  place = null;
});

function parts(selector = "[data-live]") {
  return [...document.querySelectorAll(selector)];
}

function heard(message) {
  const names = [message.type, `${message.type}:${message.id}`];
  for (const element of parts()) {
    if (element.dataset.live.split(" ").some((name) => names.includes(name))) refresh(element);
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/ws/live`);
  socket.addEventListener("open", () => {
    attempts = 0;
    show("live");
    parts(lost ? "[data-live]" : MOVING).forEach(refresh);
    lost = false;
  });
  socket.addEventListener("message", (event) => {
    try {
      heard(JSON.parse(event.data));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  });
  socket.addEventListener("close", (event) => {
    lost = true;
    if (event.code === SIGNED_OUT) { show("out"); return; } // trying again cannot help
    retry();
  });
}

function retry() {
  attempts += 1;
  show(attempts > 5 ? "off" : "reconnecting");
  const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1));
  timer = setTimeout(connect, pause * (0.75 + Math.random() / 2));
}

// Coming back to a tab that slept, or back on line: try at once.
function wake() {
  if (socket?.readyState !== WebSocket.CLOSED || document.visibilityState !== "visible") return;
  clearTimeout(timer);
  connect();
}
addEventListener("online", wake);
document.addEventListener("visibilitychange", wake);

setInterval(() => {
  if (socket?.readyState !== WebSocket.OPEN) parts(MOVING).forEach(refresh);
}, POLL_MS);

if (indicator) connect();
