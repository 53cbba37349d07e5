// Uploads with progress: each file of a form[data-upload] is sent by itself, one after the other, to the API.
//
// Two phases are told apart: bytes on their way to this server (a bar with counts), then the server storing them in S3
// and comparing checksums (a bar without). Nothing is overwritten unless the person asks for it.
const units = ["bytes", "KB", "MB", "GB", "TB"];
let atWork = 0;

function size(bytes) {
  let at = 0;
  let left = bytes;
  while (left >= 1024 && at < units.length - 1) { left /= 1024; at += 1; }
  return `${at ? left.toFixed(1) : left} ${units[at]}`;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

// One line of the list of transfers, and what it says.
class Transfer {
  constructor(form, file) {
    this.form = form;
    this.file = file;
    this.key = form.dataset.prefix + file.name;
    this.line = element("li", "transfer");
    this.state = element("span", "state", "Waiting");
    this.bar = document.createElement("progress");
    this.bar.max = 1;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", `Upload of ${this.key}`);
    this.buttons = element("span", "button-row");
    this.line.append(element("span", "file", this.key), this.buttons, this.bar, this.state);
    form.closest(".upload").querySelector(".transfers").append(this.line);
  }

  say(text, kind = "") {
    this.state.textContent = text;
    this.line.className = `transfer ${kind}`;
  }

  offer(text, act) {
    const button = element("button", "button small", text);
    button.type = "button";
    button.addEventListener("click", () => { this.buttons.replaceChildren(); act(); });
    this.buttons.replaceChildren(button);
  }

  sent(event) {
    const share = event.lengthComputable ? event.loaded / event.total : 0;
    if (share >= 1) { this.stored(); return; }
    this.bar.value = share;
    this.say(`${size(event.loaded)} of ${size(event.total)}`);
  }

  stored() {
    this.buttons.replaceChildren(); // from here on it cannot be taken back
    this.bar.removeAttribute("value");
    this.say("Sent. S3 is storing and checking it…");
  }

  end(text, kind) {
    this.bar.remove();
    this.buttons.replaceChildren();
    this.say(text, kind);
  }

  failed(problem) {
    this.end([problem.detail ?? "The upload was broken off.", problem.remedy].filter(Boolean).join(" "), "failed");
    if (problem.code === "object_exists") this.offer("Replace it", () => this.again(true));
    else this.offer("Try again", () => this.again(false));
  }

  again(replace) {
    this.line.insertBefore(this.bar, this.state);
    this.bar.value = 0;
    send(this, replace);
  }
}

function body(transfer, replace) {
  const data = new FormData();
  const { account, bucket } = transfer.form.dataset;
  data.append("account", account);
  data.append("bucket", bucket);
  data.append("key", transfer.key);
  data.append("if_absent", String(!replace));
  data.append("file", transfer.file);
  return data;
}

function answer(request) {
  try { return JSON.parse(request.responseText); } catch { return {}; }
}

function send(transfer, replace) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    atWork += 1;
    request.open("POST", transfer.form.dataset.upload);
    request.setRequestHeader("X-CSRFToken", transfer.form.elements.csrfmiddlewaretoken.value);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => transfer.sent(event));
    request.addEventListener("load", () => {
      const told = answer(request);
      if (request.status === 201) arrived(transfer, told);
      else transfer.failed(told);
    });
    request.addEventListener("error", () => transfer.failed({ detail: "The connection broke off. The object was not stored, or its state is not known: look before trying again." }));
    request.addEventListener("abort", () => transfer.end("Cancelled. Nothing was stored.", "failed"));
    request.addEventListener("loadend", () => { atWork -= 1; resolve(); });
    transfer.offer("Cancel", () => request.abort());
    transfer.say("Starting…");
    request.send(body(transfer, replace));
  });
}

function arrived(transfer, told) {
  transfer.end(`Stored, ${size(told.size)}${told.version_id ? `, version ${told.version_id}` : ""}.`, "done");
  const list = document.querySelector(transfer.form.dataset.refreshes);
  if (list) window.htmx.trigger(list, "uploaded");
}

async function sendAll(form, files) {
  const replace = form.elements.replace.checked;
  const transfers = [...files].map((file) => new Transfer(form, file));
  for (const transfer of transfers) await send(transfer, replace);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-upload]");
  if (!form) return;
  event.preventDefault();
  sendAll(form, form.elements.file.files);
  form.elements.file.value = "";
}, true);

document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-upload] input[type=file]") && event.target.files.length) event.target.form.requestSubmit();
});

for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const zone = event.target.closest?.("form[data-upload]");
    if (!zone || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("over", name === "dragover");
    if (name === "drop") sendAll(zone, event.dataTransfer.files);
  });
}

// Leaving the page would break off what is on its way.
addEventListener("beforeunload", (event) => { if (atWork) event.preventDefault(); });
