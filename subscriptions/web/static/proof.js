// The proof of work of a form. Where a browser cannot do it, or this file does not come, a short wait takes its place.
const widgets = [...document.querySelectorAll("altcha-widget")];

if (window.isSecureContext && widgets.length) {
  const { widget: source, worker } = widgets[0].dataset;
  await import(source);
  window.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(worker));
  widgets.forEach(follow);
  document.documentElement.classList.add("computes");
}

function follow(widget) {
  const form = widget.closest("form");
  const buttons = [...form.querySelectorAll("button")];
  const said = form.querySelector(".work");
  let busy = false;
  widget.addEventListener("statechange", ({ detail: { state } }) => {
    busy = state === "verifying";
    said.textContent = busy ? widget.dataset.busy : "";
    buttons.forEach((button) => button.setAttribute("aria-disabled", busy));
    if (state === "error") form.submit(); // the page that comes then offers the wait
  });
  // the focus stays where it is, and a second press does nothing
  form.addEventListener("click", (event) => busy && event.target.closest("button") && event.preventDefault());
}
