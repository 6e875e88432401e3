/* Yestwice: gives the frames of this service on this page the height of what is in them, and shows the beginning of it.
   Where a frame stays silent, its form is one link instead: the site is not named, or the service is away. */
(() => {
  "use strict";
  const NAMED = 'script[src*="/frame.js"]';
  const current = document.currentScript;
  const script = current && current.matches(NAMED) ? current : document.querySelector(NAMED);
  const PATIENCE = 4000; /* milliseconds after a frame has loaded */
  const originOf = (url) => {
    let origin = "";
    for (let i = 0, slashes = 0; i < url.length && (url[i] !== "/" || ++slashes < 3); i++) origin += url[i];
    return origin;
  };
  const ours = script ? originOf(script.src) : "";
  const each = (work) => {
    const found = document.querySelectorAll("iframe");
    for (let i = 0; i < found.length; i++) if (originOf(found[i].src) === ours) work(found[i]);
  };

  const hide = (frame) => {
    if (frame.isHeard || frame.link || !frame.parentNode) return;
    const link = (frame.link = document.createElement("a"));
    link.href = frame.src; /* /embed/<list>/frame?… */
    let list = "";
    for (let i = "/embed/".length; i < link.pathname.length && link.pathname[i] !== "/"; i++) list += link.pathname[i];
    link.pathname = `/subscribe/${list}`;
    link.textContent = frame.title || "Subscribe";
    frame.parentNode.insertBefore(link, frame);
    frame.style.display = "none";
    console.error(
      `Yestwice: the frame of the list "${list}" stays silent. The site ${location.origin} may not be named yet: add to that list's ` +
        `[[lists]] in config.toml, and restart: origins = ["${location.origin}"]. ` +
        `If this page has a Content-Security-Policy, add to it: frame-src ${ours}`,
    );
  };
  const show = (frame) => {
    frame.isHeard = true;
    if (!frame.link) return;
    frame.link.parentNode.removeChild(frame.link);
    frame.link = null;
    frame.style.display = "";
  };

  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== ours || !data || data.type !== "yestwice:height") return;
    const height = Math.ceil(data.height);
    if (!(height > 0 && height < 10000)) return;
    each((frame) => {
      if (frame.contentWindow !== source) return;
      show(frame);
      frame.style.height = `${height}px`;
    });
  });
  /* A frame that was there before this script has told its height to nobody: ask it. */
  const ask = (frame) => {
    frame.contentWindow.postMessage({ type: "yestwice:ask" }, ours);
    setTimeout(hide, PATIENCE, frame);
  };
  /* Whoever has pressed a button far down in a frame would meet the middle of the page that follows. */
  const follow = ({ target }) =>
    each((frame) => {
      if (frame !== target) return;
      if (frame === document.activeElement && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
      ask(frame);
    });
  document.addEventListener("load", follow, true);
  if (document.readyState === "complete") each(ask);
  else addEventListener("load", () => each(ask));
})();
