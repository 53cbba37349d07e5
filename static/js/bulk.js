// Choosing rows of a list to act on them together: how many are chosen, choosing all of the page, and keeping the choice
// when the list is fetched again. Without this script the boxes and the bar's buttons work as they stand.
const BOX = "input[data-bulk]";
const chosen = new Set();

function boxes() {
  return [...document.querySelectorAll(BOX)];
}

function show() {
  const all = boxes();
  const here = all.filter((box) => box.checked);
  for (const bar of document.querySelectorAll("[data-bulk-bar]")) {
    bar.hidden = here.length === 0;
    bar.querySelector("[data-bulk-count]").textContent = here.length === 1 ? "1 chosen" : `${here.length} chosen`;
    bar.querySelector("[data-bulk-hint]").hidden = true;
  }
  for (const master of document.querySelectorAll("[data-bulk-all]")) {
    master.hidden = false;
    master.checked = here.length > 0 && here.length === all.length;
    master.indeterminate = here.length > 0 && here.length < all.length;
  }
}

function remember(box) {
  if (box.checked) chosen.add(box.value);
  else chosen.delete(box.value);
}

document.addEventListener("change", (event) => {
  if (event.target.matches(BOX)) remember(event.target);
  else if (event.target.matches("[data-bulk-all]")) {
    for (const box of boxes()) {
      box.checked = event.target.checked;
      remember(box);
    }
  } else return;
  show();
});

document.addEventListener("htmx:afterSwap", () => {
  for (const box of boxes()) box.checked = chosen.has(box.value);
  show();
});

// The browser keeps boxes checked when a person comes back to the page.
boxes().forEach(remember);
show();
