// The payload editor: Format lays the JSON out, or says where it is none; Ctrl-Enter invokes.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-format-json]");
  if (!button) return;
  const editor = document.getElementById(button.dataset.formatJson);
  try {
    editor.value = JSON.stringify(JSON.parse(editor.value || "null"), null, 2);
    editor.setCustomValidity("");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    editor.setCustomValidity(error.message);
  }
  editor.reportValidity();
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-json]")) event.target.setCustomValidity("");
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("[data-json]")) event.target.form.requestSubmit();
});
