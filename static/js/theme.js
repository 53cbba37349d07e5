// Runs before the first paint, so that the page never flashes in the wrong theme or with the wrong navigation width.
"use strict";
(() => {
  const root = document.documentElement;
  const stored = (key) => {
    try { return localStorage.getItem(key); } catch { return null; } // storage may be switched off
  };
  root.classList.add("js");
  document.addEventListener("DOMContentLoaded", () => root.classList.add("ready")); // the page's own scripts have run by then
  const theme = stored("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (stored("sidebar") === "narrow") root.dataset.sidebar = "narrow";
})();
