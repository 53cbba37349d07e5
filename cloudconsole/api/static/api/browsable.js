// Sends what the reader wrote, and shows the answer where the page's own stands.
const form = document.getElementById("request");
const answer = document.getElementById("answer");

async function send(method) {
  const body = document.getElementById("body");
  const headers = { Accept: "application/json", "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content };
  const withBody = body && method !== "DELETE" && method !== "OPTIONS";
  if (withBody) headers["Content-Type"] = "application/json";
  const response = await fetch(form.dataset.url, { method, headers, body: withBody ? body.value : undefined });
  show(response, await response.text());
}

function show(response, text) {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  answer.textContent = `HTTP ${response.status} ${response.statusText}\n${headers}\n\n${indented(text)}`;
  answer.focus();
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 4);
  } catch {
    return text;
  }
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const method = event.submitter.value;
  if (method === "DELETE" && !confirm("Delete this?")) return;
  send(method).catch((error) => { answer.textContent = `The request did not get through: ${error.message}`; });
});
