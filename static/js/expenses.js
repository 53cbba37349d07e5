// The entry row: today where the person is, what was said of a payee last, and the keyboard. Without this script the row is a
// plain form, and every change has a page of its own.
const QUICK = "#quick";

function localDay() {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

function field(name) {
  return document.querySelector(`${QUICK} [name="${name}"]`);
}

function prepareQuick() {
  const form = document.querySelector(QUICK);
  if (!form) return;
  if (!field("date").value) field("date").value = localDay();
  if (form.dataset.again !== undefined) field("payee").focus();
}

async function suggestions(payee) {
  const form = document.querySelector(QUICK);
  const query = new URLSearchParams({ payee, workspace: form.querySelector("[name=workspace]").value });
  const answer = await fetch(`${form.dataset.suggestions}?${query}`, { headers: { Accept: "application/json" } });
  return answer.ok ? answer.json() : { payees: [], last: null };
}

function offer(names) {
  const list = document.getElementById("payees");
  list.replaceChildren(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
}

// Only what the person left empty is filled in; the currency stands there already, so it is changed until they touch it.
function fillIn(last) {
  for (const name of ["category", "payment_method"]) {
    const input = field(name);
    if (!input.value && last[name]) input.value = last[name];
  }
  const currency = field("currency");
  if (currency.dataset.touched === undefined && last.currency) currency.value = last.currency;
}

let waiting;
document.addEventListener("input", (event) => {
  if (!event.target.closest(QUICK)) return;
  if (event.target.name === "currency") event.target.dataset.touched = "";
  if (event.target.name !== "payee") return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => offer((await suggestions(event.target.value)).payees), 120);
});

document.addEventListener("change", async (event) => {
  if (!event.target.matches(`${QUICK} [name="payee"]`) || !event.target.value.trim()) return;
  const { last } = await suggestions(event.target.value);
  if (last) fillIn(last);
});

// What a rule sets is completed from the names of the field that is chosen beside it.
const NAMES_OF = { category: "categories", payment_method: "methods", tags: "tags" };

function completeRule(scope) {
  for (const select of scope.querySelectorAll("[name=action_field]")) {
    const input = select.parentElement.querySelector("[name=action_value]");
    if (NAMES_OF[select.value]) input.setAttribute("list", NAMES_OF[select.value]);
    else input.removeAttribute("list");
  }
}
document.addEventListener("change", (event) => {
  if (event.target.name === "action_field") completeRule(event.target.parentElement);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const row = event.target.closest?.("[data-row-form]");
    if (row) row.querySelector("[data-cancel]").click();
  }
  const typing = event.target.matches?.("input, select, textarea, [contenteditable]");
  if (event.key === "n" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && field("payee")) {
    event.preventDefault();
    field("payee").focus();
  }
});

document.addEventListener("htmx:load", (event) => {
  const loaded = event.target;
  if (loaded.id === "expenses") prepareQuick();
  if (loaded.matches?.("[data-row-form]")) loaded.querySelector("[name=payee]").focus();
  if (loaded.matches?.("[data-focus-edit]")) loaded.querySelector("[data-edit]")?.focus();
});

prepareQuick();
completeRule(document);
