// Loads the OpenAPI document with the reader's own session and hands it to Swagger UI or ReDoc, both from local files.
const place = document.getElementById("document");

async function load() {
  const response = await fetch(place.dataset.schema, { headers: { Accept: "application/vnd.oai.openapi+json" } });
  if (response.status === 401) return askToSignIn();
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const spec = await response.json();
  place.textContent = "";
  return place.dataset.reader === "redoc" ? withRedoc(spec) : withSwagger(spec);
}

function askToSignIn() {
  const link = document.createElement("a");
  link.href = place.dataset.signIn;
  link.textContent = "Sign in to read the API's document.";
  place.replaceChildren(link);
}

function withSwagger(spec) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  window.SwaggerUIBundle({
    spec,
    domNode: place,
    validatorUrl: null,
    deepLinking: true,
    requestInterceptor: (request) => {
      if (request.method !== "GET") request.headers["X-CSRFToken"] = token;
      return request;
    },
  });
}

function withRedoc(spec) {
  // ReDoc's styles are made at run time; the nonce lets in those and no other. Its search needs a worker from a blob: off.
  const nonce = document.getElementById("reader-script").nonce;
  window.Redoc.init(spec, { nonce, disableSearch: true, hideDownloadButton: true }, place);
}

load().catch((error) => { place.textContent = `The document could not be read: ${error.message}.`; });
