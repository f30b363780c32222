// Before the first paint, so that nothing flashes: the reader's choice of light or dark, where there is one.
"use strict";
(() => {
  const chosen = localStorage.getItem("faxd-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
