// Passkeys: allauth's own scripts talk to the browser, this only says which button does what and shows what went wrong.
const ACTIONS = { add: "addForm", authenticate: "authenticateForm", "sign-in": "loginForm" };
const IDS = { add: "add", authenticate: "authenticate", "sign-in": "login" };

for (const button of document.querySelectorAll("[data-passkey]")) {
  const kind = button.dataset.passkey;
  const ids = { [IDS[kind]]: button.id, credential: "passkey-credential", data: "passkey-data" };
  if (kind === "add") ids.passwordless = "passkey-passwordless";
  window.allauth.webauthn.forms[ACTIONS[kind]]({ ids });
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const place = document.querySelector("[data-passkey-error]");
  if (!place) return;
  const cancelled = event.detail.exception?.name === "NotAllowedError";
  place.textContent = cancelled
    ? "The browser was not given a passkey. Try once more."
    : "This browser, or this address, cannot use passkeys.";
  place.hidden = false;
});
