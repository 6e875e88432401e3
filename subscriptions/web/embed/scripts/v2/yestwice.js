/* Yestwice: the sign-up form of a list as an element, <yestwice-form list="newsletter">. No cookie, nothing stored.
   The page may set custom properties (--yestwice-accent, …-on-accent, …-line, …-radius) and style its ::part()s.
   Pages replace what the language brings (Prototype.js has an Array.from, MooTools a bind, both a toJSON of their own), so
   here are syntax, loops and the oldest calls of the DOM. Until the form is whole, the link in the element stands there. */
(() => {
  "use strict";
  const TAG = "yestwice-form";
  const OPTIONS = ["list", "lang", "lists", "fields", "colour", "scheme", "compact"];
  const NAMES = { de: "Abonnieren", fr: "S’abonner", es: "Suscribirse" };
  const CSS = `
    :host { display: block !important; position: static !important; visibility: visible !important;
      opacity: 1 !important; clip-path: none !important; transform: none !important; pointer-events: auto !important }
    :host([hidden]) { display: none !important }
    * { box-sizing: border-box }
    .box { --a: var(--yestwice-accent, var(--accent-light)); --on: var(--yestwice-on-accent, var(--on-accent-light));
      --line: var(--yestwice-line, color-mix(in srgb, currentcolor 55%, transparent));
      --r: var(--yestwice-radius, .5rem); max-width: 36rem; line-height: 1.5; text-align: start; text-indent: 0;
      letter-spacing: normal; word-spacing: normal; text-transform: none; white-space: normal; font-style: normal;
      font-weight: 400; cursor: auto; overflow-wrap: anywhere }
    .light { color-scheme: light } .dark { color-scheme: dark } .auto { color-scheme: light dark }
    @supports (color: light-dark(#000, #fff)) {
      .box { --a: var(--yestwice-accent, light-dark(var(--accent-light), var(--accent-dark)));
        --on: var(--yestwice-on-accent, light-dark(var(--on-accent-light), var(--on-accent-dark))) }
      .light, .dark, .auto { padding: 1rem; border-radius: var(--r); color: light-dark(#17231e, #e8efeb);
        background: light-dark(#fff, #18211d) }
    }
    h2 { margin: 0 0 .5rem; font-size: 1.35em; line-height: 1.25 }
    p, dl { margin: 0 0 .75rem }
    dt { font-size: .9em } dd { margin: 0 0 .5rem; font-weight: 600 }
    form { margin: 0 0 .75rem } form > div, fieldset { margin: 0 0 1rem }
    label { display: block; font-weight: 600 }
    .need, .hint, .fine { font-weight: 400; font-size: .9em; margin: 0 }
    .hint { margin-bottom: .25rem }
    input { display: block; width: 100%; min-height: 2.875rem; padding: .5rem .75rem; margin: 0; color: inherit;
      background: transparent; border: 1px solid var(--line); border-radius: var(--r); font: inherit }
    .choice { display: flex; gap: .625rem; align-items: center; min-height: 2.75rem }
    .choice input { flex: none; width: 1.25rem; min-height: 1.25rem; accent-color: var(--a) }
    [aria-invalid] { border-width: 3px }
    .error { margin: 0 0 .25rem; font-weight: 600 }
    .error::before { content: "⚠ "; content: "⚠ " / "" }
    .consent, .look { padding: .25rem 0 .25rem .875rem; border-inline-start: 3px solid var(--a) }
    .consent p { margin: 0 0 .375rem } .lines { white-space: pre-line }
    a { color: inherit; text-decoration: underline }
    button { display: inline-block; min-height: 3rem; padding: .625rem 1.5rem; color: var(--on); background: var(--a);
      border: 2px solid var(--a); border-radius: var(--r); font: inherit; font-weight: 650; cursor: pointer }
    .quiet { color: inherit; background: none; border-color: var(--line) }
    button:hover { filter: brightness(1.1) } button[aria-disabled] { opacity: .7; cursor: progress }
    :focus-visible { outline: 3px solid currentcolor; outline-offset: 2px }
    iframe { display: block; width: 100%; height: 40rem; border: 0 }
    .error:empty, .look:empty, .told:empty, [hidden] { display: none }
    .compact .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: flex-end; margin: 0 0 .5rem }
    .compact .row > div { flex: 1 1 14rem; margin: 0 } .compact .consent { font-size: .9em }`;

  const complain = (text) => console.error(`Yestwice: ${text}`);

  const each = (list, work) => {
    for (let i = 0; i < list.length; i++) work(list[i], i);
  };

  const originOf = (url) => {
    let origin = "";
    for (let i = 0, slashes = 0; i < url.length && (url[i] !== "/" || ++slashes < 3); i++) origin += url[i];
    return origin;
  };

  /* What comes from the server is text and never markup. */
  const add = (element, children) => {
    each(children, (child) => {
      if (!child) return;
      if (typeof child === "string") element.appendChild(document.createTextNode(child));
      else if (child.nodeType) element.appendChild(child);
      else add(element, child);
    });
    return element;
  };
  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    const own = { __proto__: null, ...attributes };
    for (const key in own) if (own[key]) element.setAttribute(key, own[key] === true ? "" : own[key]);
    return add(element, children);
  };
  const fill = (element, ...children) => {
    element.textContent = "";
    add(element, children);
  };

  /* JSON.stringify asks every array of the page for its toJSON. */
  const quoted = (text) => {
    let found = "";
    each(text, (one) => {
      const code = one < " " && encodeURIComponent(one);
      found += code ? `\\u00${code[1]}${code[2]}` : one === '"' || one === "\\" ? `\\${one}` : one;
    });
    return `"${found}"`;
  };
  const json = (value) => {
    if (typeof value === "string") return quoted(value);
    if (!value || typeof value !== "object") return `${value}`;
    let found = "";
    if (value.length >= 0) {
      each(value, (one) => (found += `${found && ","}${json(one)}`));
      return `[${found}]`;
    }
    const own = { __proto__: null, ...value };
    for (const key in own) found += `${found && ","}${quoted(key)}:${json(own[key])}`;
    return `{${found}}`;
  };

  /* The proof of work of the service: a key that begins as asked for, found by trying every number that it can be. */
  const DIGITS = "0123456789abcdef";
  const solve = async (challenge) => {
    const { algorithm, nonce, salt, cost, keyLength, keyPrefix, data } = challenge.parameters;
    if (algorithm !== "PBKDF2/SHA-256" || !(window.crypto && crypto.subtle)) throw new Error("no way to solve it here");
    const bytes = (hex, more) => {
      const found = new Uint8Array(hex.length / 2 + more);
      for (let i = 0; i < hex.length; i += 2) found[i / 2] = `0x${hex[i]}${hex[i + 1]}`;
      return found;
    };
    const kdf = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt, 0), iterations: cost };
    const password = bytes(nonce, 4);
    const most = (data && data.most) || 10000;
    for (let counter = 0; counter <= most; counter++) {
      for (let i = 1; i < 5; i++) password[password.length - i] = counter >>> (8 * i - 8);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const derived = new Uint8Array(await crypto.subtle.deriveBits(kdf, key, 8 * (keyLength || 32)));
      let derivedKey = "";
      each(derived, (one) => (derivedKey += DIGITS[one >> 4] + DIGITS[one & 15]));
      let same = 0;
      while (same < keyPrefix.length && derivedKey[same] === keyPrefix[same]) same++;
      if (same === keyPrefix.length) return btoa(json({ challenge, solution: { counter, derivedKey } }));
    }
    throw new Error("not found");
  };

  const isBlank = (text) => {
    for (let i = 0; i < text.length; i++) if (text[i] > " " && text[i] !== "\u00a0") return false;
    return true;
  };

  const told = (element, name) => element.getAttribute(name) || element.getAttribute(`data-${name}`) || "";

  /* The form in the element. Whatever is wrong before its end leaves the element as it was. */
  const grow = (element, base, query, isCompact, data) => {
    const { texts, lists, inbox, honeypot, lang } = data;
    const isOfSeveral = lists.length > 1;
    const inputs = { __proto__: null }, errors = { __proto__: null };
    let seen, altcha, hasProved;

    const post = (path, body) =>
      fetch(base + path, {
        method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: json(body),
      });

    const error = (name) => (errors[name] = make("p", { class: "error", id: `error-${name}` }));
    const field = ({ name, label, need, hint, type, autocomplete, longest, required }) => {
      inputs[name] = make("input", {
        id: name, name, type, autocomplete, required, maxlength: longest, part: "input",
        "aria-describedby": `${hint ? `hint-${name} ` : ""}error-${name}`,
      });
      return make("div", { part: "field" },
        make("label", { for: name, part: "label" }, `${label} `, need && make("span", { class: "need" }, `(${need})`)),
        hint && make("p", { class: "hint", id: `hint-${name}` }, hint), error(name), inputs[name]);
    };
    const unseen = (name, value) => make("input", { type: "hidden", name, value });
    const title = (text) => make("h2", {}, text);
    const quiet = (text, work) => {
      const button = make("button", { type: "button", class: "quiet" }, text);
      button.onclick = work;
      return button;
    };

    /* Where there are several lists, each is a choice of its own, and nobody has made it yet. */
    const agreements = [], wordings = [], ticks = [];
    each(lists, ({ list, name, name_lang, text, lang, wording, purpose, policy_url }, i) => {
      wordings[i] = unseen(isOfSeveral ? `wording-${list}` : "wording", wording);
      if (isOfSeveral)
        ticks[i] = make("input", { type: "checkbox", name: "lists", value: list, "aria-describedby": "error-lists" });
      agreements[i] = [
        isOfSeveral ? make("label", { class: "choice", part: "label", lang: name_lang }, ticks[i], name) : make("p", {}, make("strong", {}, texts.agree)),
        make("p", { class: "lines", lang }, text), make("p", {}, purpose),
        policy_url && make("p", {}, make("a", { href: policy_url, part: "link" }, texts.policy)),
      ];
    });

    const trouble = make("p", { class: "error", role: "alert" });
    const button = make("button", { type: "submit", part: "button", "aria-describedby": "consent" }, texts.subscribe);
    const look = make("div", { class: "look", role: "status", part: "look", tabindex: "-1" });
    const address = field(data.fields[0]);
    const voluntary = [];
    each(data.fields, (one, i) => i && (voluntary[i] = field(one)));
    voluntary[0] = texts.about && make("p", {}, texts.about);
    const trap = make("input", { name: honeypot, "aria-label": texts.trap, tabindex: "-1", autocomplete: "off" });
    const hidden = [], own = { __proto__: null, ...data.hidden };
    for (const name in own) hidden[hidden.length] = unseen(name, own[name]);
    const consent = make("div", { class: "consent", part: "consent", id: "consent" },
      error("lists"), agreements, make("p", { class: "fine" }, texts.fine));
    const form = make("form",
      { method: "post", action: data.action, "aria-label": texts.title, "accept-charset": "utf-8", novalidate: true },
      trouble, isCompact ? make("div", { class: "row" }, address, button) : address, look, voluntary,
      make("div", { hidden: true, "aria-hidden": "true" }, trap), hidden, wordings, consent, !isCompact && button);
    const says = make("div", { role: "status", part: "inbox", tabindex: "-1", class: "told" });
    const next = make("div", {});
    const scheme = told(element, "scheme");
    const box = make("div", { class: `box ${isCompact ? "compact" : ""} ${scheme}`, lang, dir: data.dir }, form, says, next);
    const colours = { __proto__: null, ...data.colours };
    for (const name in colours) box.style.setProperty(`--${name}`, colours[name]);

    const clear = () => {
      trouble.textContent = look.textContent = "";
      button.textContent = texts.subscribe;
      for (const name in errors) errors[name].textContent = "";
      for (const name in inputs) inputs[name].removeAttribute("aria-invalid");
    };
    const say = (sentence) => (trouble.textContent = sentence);

    /* Each mistake stands at its field; the first of them has the focus. */
    const point = (wrong) => {
      let first;
      each(wrong, ({ name, text }) => {
        const input = name === "lists" ? ticks[0] : inputs[name];
        if (!input) return say(text);
        errors[name].textContent = text;
        input.setAttribute("aria-invalid", "true");
        first = first || input;
      });
      (first || button).focus();
    };

    /* Whoever presses twice means one. */
    const whenPressed = (button, work) => async (event) => {
      event.preventDefault();
      if (button.hasAttribute("aria-disabled")) return;
      button.setAttribute("aria-disabled", "true");
      clear();
      try {
        await work();
      } catch {
        say(texts.trouble);
      }
      button.removeAttribute("aria-disabled");
    };

    /* What cannot be settled here goes on in a frame of ours, with all that was typed. */
    const stepAside = () => {
      const name = `${TAG}-${data.list}`;
      box.appendChild(make("iframe", { name, title: texts.title }));
      form.action = data.frame + query;
      form.target = name;
      form.hidden = true;
      form.submit();
    };

    const members = () => {
      const found = { __proto__: null };
      for (const name in inputs) if (name !== "code" && inputs[name].value) found[name] = inputs[name].value;
      each(hidden, (one) => (found[one.name] = one.value));
      if (altcha) found.altcha = altcha;
      if (!isOfSeveral) return { ...found, list: data.list, wording: lists[0].wording };
      const chosen = [], agreed = { __proto__: null };
      each(ticks, (one, i) => {
        if (!one.checked) return;
        chosen[chosen.length] = one.value;
        agreed[one.value] = lists[i].wording;
      });
      return { ...found, lists: chosen, wordings: agreed };
    };

    /* Only what is missing is said here: what is wrong with an address the server says. */
    const submitted = async () => {
      const missing = [];
      for (const name in inputs)
        if (inputs[name].required && isBlank(inputs[name].value)) missing[missing.length] = { name, text: texts.required };
      let ticked = !isOfSeveral;
      each(ticks, (one) => (ticked = ticked || one.checked));
      if (!ticked) missing[missing.length] = { name: "lists", text: texts.wrong.lists };
      if (missing.length) return point(missing);
      if (trap.value) return stepAside(); /* a helper of the browser meant well */
      let answer, said;
      try {
        answer = await post(`/api/v1/subscriptions?lang=${lang}${inputs.email.value === seen ? "" : "&ask=1"}`, members());
        said = await answer.json();
      } catch {
        return form.submit(); /* a plain form comes through */
      }
      await answered(answer.status, said);
    };

    const answered = async (status, said) => {
      if (status === 202) return done(said);
      if (said.challenge) return hasProved ? stepAside() : prove(said.challenge);
      if (said.look) return lookAgain(said.look);
      if (said.errors) {
        const wrong = [];
        each(said.errors, ({ pointer, detail }, i) => {
          let name = "";
          for (let at = 1; at < pointer.length; at++) name += pointer[at];
          wrong[i] = { name, text: detail };
        });
        return point(wrong);
      }
      if (status === 422) return stepAside();
      say(status === 429 ? texts.later : texts.trouble);
    };

    const prove = async (challenge) => {
      say(texts.working);
      hasProved = true;
      try {
        altcha = await solve(challenge);
      } catch {
        return stepAside();
      }
      say("");
      await submitted();
    };

    /* A slip of the keyboard: asked before anything is sent, and kept by the same button. */
    const lookAgain = ({ text, suggestion, use, keep }) => {
      seen = inputs.email.value;
      button.textContent = keep;
      fill(look, make("p", {}, make("strong", {}, text)));
      const better = suggestion && make("button", { type: "button", part: "button" }, use);
      if (better)
        better.onclick = whenPressed(button, () => {
          seen = inputs.email.value = suggestion;
          return submitted();
        });
      add(look, [better]);
      look.focus();
    };

    const report = (registration, what, ...children) => {
      fill(says, children);
      says.focus();
      const detail = { list: data.list, registration };
      try {
        element.dispatchEvent(new CustomEvent(what, { bubbles: true, composed: true, detail }));
      } catch {
        complain(`the event "${what}" cannot be sent: this page has replaced CustomEvent.`);
      }
    };

    const done = (said) => {
      let { registration } = said;
      const typed = inputs.email.value;
      form.hidden = true;
      altcha = "";
      const status = make("p", { role: "status" });
      const again = quiet(inbox.again);
      again.onclick = whenPressed(again, async () => {
        const answer = await post("/api/v1/subscriptions/again", { registration });
        if (answer.status === 202) registration = (await answer.json()).registration;
        status.textContent = answer.status === 202 ? inbox.sent : answer.status === 429 ? texts.later : texts.trouble;
      });
      const correct = quiet(inbox.correct, () => {
        fill(says);
        fill(next);
        delete inputs.code;
        delete errors.code;
        form.hidden = false;
        inputs.email.focus();
      });
      fill(next, code(() => registration), title(inbox.missing), make("p", {}, inbox.spam), status, again, " ", correct);
      const facts = [];
      each(inbox.facts, (one, i) => (facts[i] = [make("dt", {}, one[0]), make("dd", {}, one[1])]));
      report(registration, "subscribed", title(inbox.heading),
        make("p", {}, inbox.open[0], make("strong", {}, make("bdi", {}, typed)), inbox.open[1], " ", inbox.follow),
        make("p", {}, inbox.nothing), make("dl", {}, facts));
    };

    /* The code of the mail confirms here; the server counts the wrong ones. */
    const code = (current) => {
      const { heading, field: described, confirm } = inbox.code;
      const button = make("button", { part: "button" }, confirm);
      const typed = make("form", { novalidate: true }, title(heading), field(described), button);
      typed.onsubmit = whenPressed(button, async () => {
        let text;
        try {
          text = await enter(current(), inputs.code.value);
        } catch {
          text = texts.trouble;
        }
        if (text) point([{ name: "code", text }]);
      });
      return typed;
    };

    const enter = async (registration, typed) => {
      const answer = await post("/api/v1/confirmations", { registration, code: typed });
      const said = await answer.json();
      const { late, wrong, unread, done, left } = inbox.code;
      if (answer.status === 410) return late;
      if (answer.status === 422) return wrong[said.tries_left] || unread;
      if (!answer.ok) return texts.trouble;
      fill(next);
      const names = [];
      each(said.lists || [said.list], (slug) =>
        each(lists, (one) => one.list === slug && (names[names.length] = make("p", {}, make("strong", { lang: one.name_lang }, one.name)))));
      report(registration, "confirmed", title(done), names, make("p", {}, left),
        make("p", {}, make("a", { href: inbox.code.yours, target: "_blank", rel: "noopener", part: "link" }, inbox.code.data)));
    };

    form.onsubmit = whenPressed(button, () => {
      hasProved = false;
      return submitted();
    });
    const root = element.shadowRoot || element.attachShadow({ mode: "open", delegatesFocus: true });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      if (!("adoptedStyleSheets" in root)) throw 0;
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.appendChild(make("style", {}, CSS)); /* Safari before 16.4 */
    }
    root.appendChild(box);
  };

  /* Optimizers run scripts under other names, or all as one: then the script that the page names is ours. */
  const NAMED = 'script[src*="/yestwice.js"]';
  const current = document.currentScript;
  const script = current && current.matches(NAMED) ? current : document.querySelector(NAMED) || current;

  const baseOf = (element) => {
    const link = element.querySelector("a[href]");
    return originOf(link ? link.href : script ? script.src : "");
  };
  const languageOf = (element) => {
    const around = element.closest("[lang]");
    return told(element, "lang") || (around ? around.lang : "");
  };

  /* Without its form an element is one link to our own page: nobody meets a hole. */
  const lead = (element) => {
    const base = baseOf(element), list = told(element, "list"), language = languageOf(element);
    if (!base || element.querySelector("a")) return;
    const name = NAMES[`${language[0]}${language[1]}`] || "Subscribe";
    element.appendChild(make("a", { href: base + (list ? `/subscribe/${encodeURIComponent(list)}` : "/") }, name));
  };

  const explain = async (url, base, list, trouble) => {
    if (!(trouble instanceof TypeError)) return complain(`the form cannot be shown: ${trouble.message || trouble}`);
    try {
      await fetch(url, { mode: "no-cors", credentials: "omit" });
    } catch {
      return complain(`${base} cannot be reached from this page. Has it a Content-Security-Policy? Add to that: connect-src ${base}`);
    }
    complain(`the site ${location.origin} may not use the list "${list}" yet. Name it in that list's [[lists]] in config.toml ` +
      `and restart: origins = ["${location.origin}"]`);
  };

  const start = async (element) => {
    const list = told(element, "list"), base = baseOf(element);
    const isCompact = element.hasAttribute("compact") || element.hasAttribute("data-compact");
    let url;
    try {
      if (!base) throw new Error(`nothing says where its service is. Put a link to the form into it: <a href="…/subscribe/…">`);
      if (!list) throw new Error(`nothing says for which list. Add list="…" to <${TAG}>, or data-list="…" to a script alone`);
      let query = `?lang=${encodeURIComponent(languageOf(element))}${isCompact ? "&compact=1" : ""}`;
      each(["fields", "lists", "colour", "scheme"], (name) => {
        const value = told(element, name);
        if (value) query += `&${name}=${encodeURIComponent(value)}`;
      });
      url = `${base}/api/v1/lists/${encodeURIComponent(list)}/form${query}`;
      const answer = await fetch(url, { credentials: "omit" });
      if (!answer.ok) throw new Error(`${base} answers ${answer.status} for the list "${list}"`);
      grow(element, base, query, isCompact, await answer.json());
    } catch (trouble) {
      lead(element);
      explain(url, base, list, trouble);
    }
  };

  /* A snippet of the script alone: where no element stands on the page, the form comes right after it. */
  const insert = () => {
    if (!script || !document.body) return;
    const list = told(script, "list");
    let stands = false;
    each(document.querySelectorAll(TAG), (one) => (stands = stands || !list || told(one, "list") === list));
    if (stands) return;
    const element = document.createElement(TAG);
    each(OPTIONS, (name) => {
      if (script.hasAttribute(name) || script.hasAttribute(`data-${name}`)) element.setAttribute(name, told(script, name));
    });
    if (document.body.contains(script)) script.parentNode.insertBefore(element, script.nextSibling);
    else document.body.appendChild(element);
  };

  const whenRead = (work) => {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", work);
    else work();
  };

  whenRead(insert);
  try {
    class Form extends HTMLElement {
      connectedCallback() {
        if (this.isYestwice) return;
        this.isYestwice = true;
        whenRead(() => start(this));
      }
    }
    if (!customElements.get(TAG)) customElements.define(TAG, Form);
  } catch (trouble) {
    complain(`neither this browser nor a script of this page can make the form: ${trouble.message}`);
    whenRead(() => each(document.querySelectorAll(TAG), lead));
  }
})();
