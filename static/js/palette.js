// Ctrl-K: go anywhere, or do something, by typing. The server finds; this file opens, moves the selection and follows it.
const dialog = document.getElementById("palette");
const input = dialog?.querySelector("input");
const results = document.getElementById("palette-results");

function options() {
  return [...results.querySelectorAll("[role=option]:not([aria-disabled])")];
}

function choose(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (option) {
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    input.removeAttribute("aria-activedescendant");
  }
}

function open(text = "") {
  if (dialog.open) return;
  dialog.showModal();
  input.value = text;
  window.htmx.trigger(input, "palette");
}

function move(step) {
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (all.length) choose(all[(at + step + all.length) % all.length]);
}

function keydown(event) {
  if (event.key === "ArrowDown") { event.preventDefault(); move(1); }
  if (event.key === "ArrowUp") { event.preventDefault(); move(-1); }
  if (event.key === "Enter") {
    event.preventDefault();
    options().find((option) => option.getAttribute("aria-selected") === "true")?.click();
  }
}

if (dialog) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); open(); }
  });
  for (const opener of document.querySelectorAll("[data-open-palette]")) {
    opener.addEventListener("click", (event) => { event.preventDefault(); open(); });
    // Not on focus: who walks by with the Tab key goes on walking.
    opener.addEventListener("input", (event) => { open(event.target.value); event.target.value = ""; });
    opener.addEventListener("submit", (event) => { event.preventDefault(); open(); });
  }
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  input.addEventListener("keydown", keydown);
  dialog.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  results.addEventListener("click", (event) => { if (event.target.closest("button")) dialog.close(); });
  results.addEventListener("htmx:afterSwap", () => choose(options()[0]));
}
