// Sends the file of form[data-bill] to the API with its progress, then opens the page below data-then on which the file is read.
const zone = document.querySelector("form[data-bill]");
let request = null;

function part(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function line(file) {
  const made = part("li", "transfer");
  const state = part("span", "state", "Starting…");
  const bar = document.createElement("progress");
  const cancel = part("button", "button small", "Cancel");
  cancel.type = "button";
  bar.max = 1;
  bar.setAttribute("aria-label", `Sending ${file.name}`);
  const buttons = part("span", "button-row");
  buttons.append(cancel);
  made.append(part("span", "file", file.name), buttons, bar, state);
  zone.closest(".upload").querySelector(".transfers").replaceChildren(made);
  return { made, state, bar, cancel };
}

function over(shown, text) {
  shown.bar.remove();
  shown.cancel.remove();
  shown.state.textContent = text;
  shown.made.className = "transfer failed";
}

function answered(shown) {
  let told = {};
  try { told = JSON.parse(request.responseText); } catch { /* not ours: said below */ }
  if (request.status === 201 || request.status === 200) location.assign(`${zone.dataset.then ?? "/costs/files"}/${told.id}`);
  else over(shown, told.detail ?? "The file was not taken.");
}

function send(file) {
  if (request || !file) return;
  const shown = line(file);
  const body = new FormData(zone);
  body.set("file", file);
  request = new XMLHttpRequest();
  request.open("POST", zone.dataset.bill);
  request.setRequestHeader("X-CSRFToken", zone.elements.csrfmiddlewaretoken.value);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    shown.bar.value = event.loaded / event.total;
    shown.state.textContent = event.loaded < event.total ? `${Math.floor((100 * event.loaded) / event.total)} % sent` : "Sent. It is being kept…";
    if (event.loaded === event.total) shown.bar.removeAttribute("value");
  });
  request.addEventListener("load", () => answered(shown));
  request.addEventListener("error", () => over(shown, "The connection broke off; nothing was stored."));
  request.addEventListener("abort", () => over(shown, "Cancelled. Nothing was stored."));
  request.addEventListener("loadend", () => { request = null; zone.elements.file.value = ""; });
  shown.cancel.addEventListener("click", () => request?.abort());
  request.send(body);
}

zone?.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  send(zone.elements.file.files[0]);
}, true);
zone?.elements.file.addEventListener("change", () => send(zone.elements.file.files[0]));

for (const name of ["dragover", "dragleave", "drop"]) {
  zone?.addEventListener(name, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("over", name === "dragover");
    if (name === "drop") send(event.dataTransfer.files[0]);
  });
}

// Leaving the page would break off what is on its way.
addEventListener("beforeunload", (event) => { if (request) event.preventDefault(); });
