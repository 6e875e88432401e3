/* A button beside each snippet that copies it; without scripts it is selected at a click all the same. */
(() => {
  "use strict";
  for (const pre of document.querySelectorAll("pre[data-copy]")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "quiet copy", textContent: pre.dataset.copy });
    const told = document.createElement("span");
    told.className = "hint";
    told.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(pre);
      try {
        await navigator.clipboard.writeText(pre.textContent);
        told.textContent = pre.dataset.copied;
      } catch {
        told.textContent = pre.dataset.selected; /* no clipboard here, but it is selected */
      }
    });
    const bar = document.createElement("div");
    bar.className = "copy-bar";
    bar.append(button, told);
    pre.after(bar);
  }
})();
