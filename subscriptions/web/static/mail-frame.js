// The mailbox: a mail's frame grows with its mail, so that a phone has one thing to scroll. Without this, it scrolls inside.
const edges = 2;

function grow(frame) {
  const page = frame.contentDocument && frame.contentDocument.documentElement;
  if (!page || !page.querySelector("body")) return;
  const fit = () => { frame.style.blockSize = `${Math.ceil(page.getBoundingClientRect().height) + edges}px`; };
  new ResizeObserver(fit).observe(page);
  fit();
}

for (const frame of document.querySelectorAll("iframe.mail")) {
  frame.addEventListener("load", () => grow(frame));
  grow(frame); // it may be there already
}
