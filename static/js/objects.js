// Choosing objects in a list: all of a page at once, and how many are chosen.
function show(form) {
  const boxes = [...form.querySelectorAll("input[name=object]")];
  const chosen = boxes.filter((box) => box.checked).length;
  const bar = form.querySelector(".selection-bar");
  if (!bar) return;
  bar.classList.toggle("some", chosen > 0);
  bar.querySelector("[data-selected-count]").textContent = chosen ? `${chosen} of ${boxes.length} chosen` : "Choose what to delete.";
  bar.querySelector("button").disabled = chosen === 0;
  const all = form.querySelector("[data-select-all]");
  if (all) { all.checked = chosen === boxes.length; all.indeterminate = chosen > 0 && chosen < boxes.length; }
}

function showAll(scope = document) {
  for (const form of scope.querySelectorAll("form[data-selection]")) show(form);
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-select-all]")) {
    for (const box of form.querySelectorAll("input[name=object]")) box.checked = event.target.checked;
  }
  show(form);
});
document.addEventListener("htmx:load", () => showAll());
showAll();
