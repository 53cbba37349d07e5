// The four views about API keys: each tab leads back to the address it was left with, filters and all, in this browser tab.
const KEPT = "keys:addresses";
const tabs = document.querySelector("[data-keeps-addresses]");

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // nothing was kept, or keeping is not allowed
  }
}

function keep(addresses) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(addresses));
  } catch {
    // A browser that keeps nothing: the tabs lead to their beginnings.
  }
}

if (tabs) {
  const addresses = kept();
  addresses[location.pathname] = location.search;
  keep(addresses);
  for (const link of tabs.querySelectorAll("a")) {
    const path = new URL(link.href).pathname;
    if (path !== location.pathname && addresses[path]) link.search = addresses[path];
  }
}
