/* Yestwice: gives the frames of this service on this page the height of what is in them, and shows the beginning of it. */
(() => {
  "use strict";
  const ours = new URL(document.currentScript.src).origin;
  const frames = () => [...document.querySelectorAll("iframe")].filter((one) => one.src.startsWith(`${ours}/`));
  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== ours || !data || data.type !== "yestwice:height") return;
    const height = Math.ceil(data.height);
    if (!(height > 0 && height < 10000)) return;
    for (const frame of frames()) if (frame.contentWindow === source) frame.style.height = `${height}px`;
  });
  /* Whoever has pressed a button far down in a frame would meet the middle of the page that follows. */
  const follow = ({ target }) => {
    const isOurs = target === document.activeElement && frames().includes(target);
    if (isOurs && target.getBoundingClientRect().top < 0) target.scrollIntoView();
  };
  document.addEventListener("load", follow, true);
  /* A frame that was there before this script has told its height to nobody: ask it. */
  const ask = () => frames().forEach((one) => one.contentWindow.postMessage({ type: "yestwice:ask" }, ours));
  if (document.readyState === "complete") ask();
  else addEventListener("load", ask);
})();
