// The frame's small conveniences: theme, navigation width, menus, tabs, toasts, copying, relative times.
const root = document.documentElement;

function remember(key, value, storage = localStorage) {
  try {
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, value);
  } catch { /* storage switched off: the choice holds for this page */ }
}

function recall(key, storage = localStorage) {
  try { return storage.getItem(key); } catch { return null; }
}

// Theme ------------------------------------------------------------------------------------------------------------
function currentTheme() {
  return root.dataset.theme ?? "system";
}

function showTheme() {
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === currentTheme()));
  }
  const icon = document.querySelector("[data-theme-icon]");
  if (icon) icon.textContent = { light: "light_mode", dark: "dark_mode", system: "contrast" }[currentTheme()];
}

function setTheme(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  remember("theme", theme === "system" ? null : theme);
  showTheme();
  document.dispatchEvent(new CustomEvent("themechange"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("themechange")));

// Navigation -------------------------------------------------------------------------------------------------------
function foldNavigation(button) {
  const narrow = root.dataset.sidebar !== "narrow";
  if (narrow) root.dataset.sidebar = "narrow";
  else delete root.dataset.sidebar;
  remember("sidebar", narrow ? "narrow" : null);
  showFold(button);
  dispatchEvent(new Event("resize"));
}

function showFold(button) {
  const narrow = root.dataset.sidebar === "narrow";
  button.setAttribute("aria-expanded", String(!narrow));
  for (const link of document.querySelectorAll(".sidebar .nav-link")) {
    const label = link.querySelector(".label")?.textContent;
    if (narrow) { link.title = label; link.setAttribute("aria-label", label); }
    else { link.removeAttribute("title"); link.removeAttribute("aria-label"); }
  }
}

// Tabs -------------------------------------------------------------------------------------------------------------
function selectTab(tab, { focus = false } = {}) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls"))?.toggleAttribute("data-inactive", !chosen);
  }
  if (focus) tab.focus();
  dispatchEvent(new Event("resize"));
}

// What somebody chose is chosen on the next page, too, and where a part of this one comes anew.
function chooseTab(tab, options) {
  selectTab(tab, options);
  remember(`tab:${tab.closest("[role=tablist]").id}`, tab.id, sessionStorage);
}

function prepareTabs(scope) {
  for (const list of scope.querySelectorAll("[role=tablist]")) {
    const kept = recall(`tab:${list.id}`, sessionStorage);
    const tab = kept && document.getElementById(kept);
    if (tab && list.contains(tab)) selectTab(tab);
  }
}

function moveTab(event, tab) {
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  chooseTab(tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length], { focus: true });
}

// Copying ----------------------------------------------------------------------------------------------------------
async function copyFrom(button) {
  const text = button.closest(".copy").querySelector("pre").textContent;
  const label = button.querySelector(".label");
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.closest(".copy").querySelector("pre"));
    label.textContent = "Press Ctrl C";
  }
  setTimeout(() => { label.textContent = "Copy"; }, 2000);
}

// Times ------------------------------------------------------------------------------------------------------------
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });

function ago(moment) {
  const seconds = (moment - Date.now()) / 1000;
  if (Math.abs(seconds) < 45) return seconds > 0 ? "in a moment" : "just now";
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size * (unit === "minute" ? 0.75 : 1)) return relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(-1, "minute");
}

function refreshTimes(scope = document) {
  for (const element of scope.querySelectorAll("[data-ago]")) element.textContent = ago(new Date(element.dataset.ago));
}

// Toasts -----------------------------------------------------------------------------------------------------------
const TOAST_MS = 7000;

function prepareToasts(scope) {
  for (const toast of scope.querySelectorAll(".message:not(.error, .warning)")) {
    let timer = setTimeout(() => toast.remove(), TOAST_MS);
    toast.addEventListener("pointerenter", () => clearTimeout(timer));
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("pointerleave", () => { timer = setTimeout(() => toast.remove(), TOAST_MS / 2); });
  }
}

// Choices that show one part of a form -----------------------------------------------------------------------------
function showChosen(scope = document) {
  for (const part of scope.querySelectorAll("[data-shown-for]")) {
    const [name, values] = part.dataset.shownFor.split(":");
    const quoted = CSS.escape(name);
    const chosen = document.querySelector(`input[name="${quoted}"]:checked, select[name="${quoted}"]`)?.value;
    part.hidden = chosen !== undefined && !values.split(",").includes(chosen);
    // What is hidden is not sent; a part inside a hidden part stays as its own choice says.
    for (const control of part.querySelectorAll("input, select, textarea")) control.disabled = control.closest("[data-shown-for][hidden]") !== null;
  }
}

function filterOptions(input) {
  const wanted = input.value.trim().toLowerCase();
  for (const option of input.closest("fieldset").querySelectorAll(".option")) {
    option.hidden = wanted !== "" && !option.textContent.toLowerCase().includes(wanted);
  }
}

// A control that sends its form leads to the page anew: whoever used it by keyboard goes on from there, not from the top.
const PLACE = "place";

function sendForm(control) {
  if (control.matches(":focus-visible")) {
    remember(PLACE, JSON.stringify({ path: location.pathname, id: control.id, name: control.name, value: control.type === "checkbox" ? control.value : null }), sessionStorage);
  }
  control.form.requestSubmit();
}

function returnToPlace() {
  const kept = recall(PLACE, sessionStorage);
  if (!kept) return;
  remember(PLACE, null, sessionStorage);
  const { path, id, name, value } = JSON.parse(kept);
  if (path !== location.pathname) return;
  const one = value === null ? "" : `[value="${CSS.escape(value)}"]`;
  (document.getElementById(id) ?? document.querySelector(`[data-submit-on-change][name="${CSS.escape(name)}"]${one}`))?.focus();
}

// Events -----------------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  const target = event.target;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
  const themeButton = target.closest("[data-set-theme]");
  if (themeButton) { setTheme(themeButton.dataset.setTheme); themeButton.closest("details").open = false; }
  const choice = target.closest("[data-choose-theme]");
  if (choice) setTheme(choice.dataset.chooseTheme);
  const fold = target.closest(".fold");
  if (fold) foldNavigation(fold);
  const tab = target.closest("[role=tab]");
  if (tab) chooseTab(tab);
  const copy = target.closest("[data-copy]");
  if (copy) copyFrom(copy);
  const dismiss = target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest(".message").remove();
  if (location.hash === "#navigation" && !target.closest(".sidebar, .open-nav")) location.hash = "content";
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (tab) moveTab(event, tab);
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  const inside = menu && event.target.closest("details.menu details[open]");
  if (inside) { inside.open = false; inside.querySelector("summary").focus(); }
  else if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  if (location.hash === "#navigation") { location.hash = "content"; document.querySelector(".open-nav")?.focus(); }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("input[type=radio], select")) showChosen();
  if (event.target.matches("[data-submit-on-change]")) sendForm(event.target);
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filter-options]")) filterOptions(event.target);
});

// A form that is on its way cannot be sent twice.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.target.method !== "post" || event.defaultPrevented) return; // prevented: another script sends it
  setTimeout(() => {
    button.setAttribute("aria-disabled", "true");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
});

// A table that is wider than its place is scrolled by keyboard too; one that fits is no stop on the way.
function markScrollable() {
  for (const place of document.querySelectorAll(".table-wrap:not([role])")) {
    const scrolls = place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight;
    if (scrolls) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }
}
addEventListener("resize", markScrollable);

function prepare(scope) {
  markScrollable();
  prepareTabs(scope);
  prepareToasts(scope);
  refreshTimes(scope);
  showChosen(scope);
}

document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) prepare(event.target); });
setInterval(() => refreshTimes(), 20000);
showTheme();
const fold = document.querySelector(".fold");
if (fold) showFold(fold);
prepare(document);
returnToPlace();
