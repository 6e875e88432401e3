/* The page of a sign-up that is still open in this browser vouches for its confirm page. Which page that is, the server says
   (open_tab.py): it comes by one redirect alone, and no script loads it again.

   Nothing is stored: the handle lives in the open page alone, and pages of this site in this browser speak by a channel.
   A scanner has no such page, so to look at a link confirms nothing. Without this file all works by the button. */
"use strict";
(() => {
  const here = document.querySelector("[data-tab]");
  if (!here || !("BroadcastChannel" in window)) return;
  const channel = new BroadcastChannel("yestwice-open-tab");
  const mark = here.dataset.mark;
  const isLookedAt = () => !document.prerendering && document.visibilityState === "visible";

  function openPage() {
    const marks = here.dataset.marks.split(" ");
    channel.onmessage = ({ data }) => {
      if (marks.includes(data.asks)) channel.postMessage({ answers: data.asks, handle: here.dataset.handle });
      if (marks.includes(data.done)) showDone();
    };
  }

  function showDone() {
    const done = document.getElementById("tab-done");
    document.getElementById("tab-waits").remove();
    document.getElementById("tab-says").replaceChildren(done.content.cloneNode(true));
    document.title = done.dataset.title;
    channel.close();
  }

  function confirmPage() {
    const form = here;
    let isAnswered = false;
    const ask = () => {
      if (isLookedAt() && !isAnswered) channel.postMessage({ asks: mark });
    };
    channel.onmessage = ({ data }) => {
      if (data.answers !== mark || isAnswered || !isLookedAt()) return;
      isAnswered = true;
      form.elements.tab.value = data.handle;
      form.submit();
    };
    document.addEventListener("visibilitychange", ask);
    document.addEventListener("prerenderingchange", ask);
    ask();
  }

  const roles = { open: openPage, confirm: confirmPage, confirmed: () => channel.postMessage({ done: mark }) };
  roles[here.dataset.tab]();
})();
