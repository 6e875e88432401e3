/* A quiet reminder, five minutes before the page of somebody's own data closes. Without it the page says until when. */
(() => {
  "use strict";
  const told = document.querySelector("[data-ends]");
  const left = Date.parse(told?.dataset.ends) - Date.now() - 5 * 60 * 1000;
  if (told && left > 0 && left < 60 * 60 * 1000) setTimeout(() => { told.hidden = false; }, left);
})();
