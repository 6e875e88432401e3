/* The time zone of the browser, where none has been typed. */
(() => {
  "use strict";
  for (const input of document.querySelectorAll("input[data-zone]")) {
    input.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  }
})();
