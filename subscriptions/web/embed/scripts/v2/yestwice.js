/* Yestwice: the sign-up form of a list as an element, <yestwice-form list="newsletter">. No cookie, nothing stored.
   The page may set custom properties (--yestwice-accent, …-on-accent, …-line, …-radius) and style its ::part()s. */
(() => {
  "use strict";
  const tag = "yestwice-form";
  const script = document.currentScript;
  const base = new URL(script.src).origin;
  const NAMES = { de: "Abonnieren", fr: "S’abonner", es: "Suscribirse" };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block !important; position: static !important; visibility: visible !important;
      opacity: 1 !important; clip-path: none !important; transform: none !important; pointer-events: auto !important }
    :host([hidden]) { display: none !important }
    * { box-sizing: border-box }
    .box { --a: var(--yestwice-accent, var(--accent-light)); --on: var(--yestwice-on-accent, var(--on-accent-light));
      --line: var(--yestwice-line, color-mix(in srgb, currentcolor 55%, transparent));
      --r: var(--yestwice-radius, .5rem); max-width: 36rem; line-height: 1.5; text-align: start; text-indent: 0;
      letter-spacing: normal; word-spacing: normal; text-transform: none; white-space: normal; font-style: normal;
      font-weight: 400; cursor: auto; overflow-wrap: anywhere }
    @supports (color: light-dark(#000, #fff)) {
      .box { --a: var(--yestwice-accent, light-dark(var(--accent-light), var(--accent-dark)));
        --on: var(--yestwice-on-accent, light-dark(var(--on-accent-light), var(--on-accent-dark))) }
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
    fieldset { padding: 0; border: 0 } legend { padding: 0; font-weight: 600 }
    .choice { display: flex; gap: .625rem; align-items: center; min-height: 2.75rem }
    .choice input { flex: none; width: 1.25rem; min-height: 1.25rem; accent-color: var(--a) }
    [aria-invalid] { border-width: 3px }
    .error { margin: 0 0 .25rem; font-weight: 600 } .error:empty { display: none } .error::before { content: "⚠ "; content: "⚠ " / "" }
    .consent { padding: .25rem 0 .25rem .875rem; border-inline-start: 3px solid var(--a) }
    .consent p { margin: 0 0 .375rem } .lines { white-space: pre-line }
    a { color: inherit; text-decoration: underline }
    button { display: inline-block; min-height: 3rem; padding: .625rem 1.5rem; color: var(--on); background: var(--a);
      border: 2px solid var(--a); border-radius: var(--r); font: inherit; font-weight: 650; cursor: pointer }
    .quiet { color: inherit; background: none; border-color: var(--line) }
    button:hover { filter: brightness(1.1) } button[aria-disabled] { opacity: .7; cursor: progress }
    :focus-visible { outline: 3px solid currentcolor; outline-offset: 2px }
    .away { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
    iframe { display: block; width: 100%; height: 40rem; border: 0 }
    [role=status]:empty, [hidden] { display: none }`);

  /* What comes from the server is text and never markup. */
  const fill = (element, ...children) => element.replaceChildren(...children.filter(Boolean));
  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value) element.setAttribute(key, value === true ? "" : value);
    }
    fill(element, ...children);
    return element;
  };

  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const hexed = (array) => Array.from(array, (one) => one.toString(16).padStart(2, "0")).join("");

  /* The proof of work of the service: a key that begins as asked for, found by trying. */
  const solve = async (challenge) => {
    const { algorithm, nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
    if (algorithm !== "PBKDF2/SHA-256" || !(window.crypto && crypto.subtle)) throw new Error("no way to solve it here");
    const kdf = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
    const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
    for (let counter = 0; counter < 1e6; counter++) {
      new DataView(password.buffer).setUint32(password.length - 4, counter);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const derivedKey = hexed(new Uint8Array(await crypto.subtle.deriveBits(kdf, key, 8 * (keyLength || 32))));
      if (derivedKey.startsWith(keyPrefix)) return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
    }
    throw new Error("not found");
  };

  const send = (path, body) =>
    fetch(base + path, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });

  class Form extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      this.attachShadow({ mode: "open", delegatesFocus: true }).adoptedStyleSheets = [sheet];
      this.box = make("div", { class: "box" });
      this.shadowRoot.append(this.box);
      this.load();
    }

    get list() {
      return this.getAttribute("list") || "";
    }

    async load() {
      const language = this.lang || (this.closest("[lang]") || this).lang;
      const query = new URLSearchParams(language && { lang: language });
      for (const name of ["fields", "lists", "colour"]) if (this.hasAttribute(name)) query.set(name, this.getAttribute(name));
      this.query = `?${query}`;
      const url = `${base}/api/v1/lists/${encodeURIComponent(this.list)}/form${this.query}`;
      try {
        const answer = await fetch(url, { credentials: "omit" });
        if (!answer.ok) throw new Error(`${base} answers ${answer.status} for the list "${this.list}".`);
        this.show(await answer.json());
      } catch (trouble) {
        this.leadAway(language);
        this.explain(url, trouble);
      }
    }

    /* Without its data the form is one link to our own page: nobody meets a hole. */
    leadAway(language) {
      const href = `${base}/subscribe/${encodeURIComponent(this.list)}`;
      const link = make("a", { href, part: "link" }, NAMES[language.slice(0, 2)] || "Subscribe");
      fill(this.box, make("p", {}, link));
    }

    async explain(url, trouble) {
      if (!(trouble instanceof TypeError)) return console.error(`Yestwice: ${trouble.message}`);
      try {
        await fetch(url, { mode: "no-cors", credentials: "omit" });
      } catch {
        return console.error(`Yestwice: ${base} cannot be reached from this page (is it in the connect-src of its policy?).`);
      }
      console.error(
        `Yestwice: the site ${location.origin} may not use the list "${this.list}" yet. Name it in that list's ` +
          `[[lists]] in config.toml and restart: origins = ["${location.origin}"]`,
      );
    }

    show(data) {
      const { texts, lists } = (this.data = data);
      const [address, ...voluntary] = data.fields;
      const about = texts.about && make("p", {}, texts.about);
      Object.assign(this.box, { lang: data.lang, dir: data.dir });
      this.told = make("div", { role: "status", part: "inbox", tabindex: "-1" });
      this.trouble = make("p", { class: "error", role: "alert" });
      this.button = make("button", { type: "submit", part: "button", "aria-describedby": "consent" }, texts.subscribe);
      this.form = make("form", { method: "post", action: data.action, "aria-label": texts.title, "accept-charset": "utf-8", novalidate: true },
        this.trouble, this.field(address), about, ...voluntary.map((one) => this.field(one)), this.trap(), ...this.unseen(),
        make("div", { class: "consent", part: "consent", id: "consent" },
          make("p", { class: "error", id: "error-lists" }), ...lists.flatMap((one) => this.agreement(one)),
          make("p", { class: "fine" }, texts.fine)),
        this.button);
      this.whenSent(this.form, this.button, () => this.submitted());
      for (const [name, colour] of Object.entries(data.colours)) this.box.style.setProperty(`--${name}`, colour);
      this.next = make("div", {});
      fill(this.box, this.form, this.told, this.next);
    }

    field({ name, label, need, hint, type, autocomplete, longest, required }) {
      const described = [hint && `hint-${name}`, `error-${name}`].filter(Boolean).join(" ");
      return make("div", { part: "field" },
        make("label", { for: name, part: "label" }, `${label} `, need && make("span", { class: "need" }, `(${need})`)),
        hint && make("p", { class: "hint", id: `hint-${name}` }, hint),
        make("p", { class: "error", id: `error-${name}` }),
        make("input", { id: name, name, type, autocomplete, required, maxlength: longest, part: "input",
          "aria-describedby": described }));
    }

    get isOfSeveral() {
      return this.data.lists.length > 1;
    }

    /* Where there are several lists, each is a choice of its own, and nobody has made it yet. */
    agreement({ list, name, text, lang, purpose, policy_url }) {
      const { texts } = this.data;
      const choice = this.isOfSeveral && make("label", { class: "choice", part: "label" },
        make("input", { type: "checkbox", name: "lists", value: list, "aria-describedby": "error-lists" }), name);
      return [
        choice || make("p", {}, make("strong", {}, texts.agree)),
        make("p", { class: "lines", lang }, text), make("p", {}, purpose),
        policy_url && make("p", {}, make("a", { href: policy_url, part: "link" }, texts.policy)),
      ];
    }

    /* No person sees or fills it. */
    trap() {
      const { honeypot, texts } = this.data;
      return make("div", { class: "away", "aria-hidden": "true" },
        make("input", { name: honeypot, "aria-label": texts.trap, tabindex: "-1", autocomplete: "off" }));
    }

    unseen() {
      const wordings = this.data.lists.map((one) => [this.isOfSeveral ? `wording-${one.list}` : "wording", one.wording]);
      return [...wordings, ...Object.entries(this.data.hidden)].map(([name, value]) =>
        make("input", { type: "hidden", name, value }));
    }

    members() {
      const told = new FormData(this.form);
      const members = {};
      for (const [name, value] of told) if (value && !/^lists$|^wording-/.test(name)) members[name] = value;
      if (!this.isOfSeveral) return { ...members, list: this.data.list };
      const lists = told.getAll("lists");
      const wordings = Object.fromEntries(lists.map((list) => [list, told.get(`wording-${list}`)]));
      return { ...members, lists, wordings };
    }

    /* Whoever presses twice means one. */
    whenSent(form, button, work) {
      form.onsubmit = async (event) => {
        event.preventDefault();
        if (button.hasAttribute("aria-disabled")) return;
        button.setAttribute("aria-disabled", "true");
        this.clear();
        await work();
        button.removeAttribute("aria-disabled");
      };
    }

    async submitted() {
      /* What is wrong with an address the server says. */
      const wrong = [...this.form.elements].filter((one) => one.required && !one.value.trim());
      const ticked = !this.isOfSeveral || new FormData(this.form).has("lists");
      if (!ticked) return this.point([["lists", this.data.texts.wrong.lists]]);
      if (wrong.length) return this.point(wrong.map((one) => [one.name, this.data.texts.required]));
      if (this.form.elements[this.data.honeypot].value) return this.stepAside(); /* a helper of the browser meant well */
      await this.post(this.members()).catch(() => this.form.submit()); /* a plain form comes through */
    }

    async post(members) {
      const answer = await send(`/api/v1/subscriptions?lang=${this.data.lang}`, members);
      const said = await answer.json();
      const { texts } = this.data;
      if (answer.status === 202) return this.done(said);
      if (said.challenge && !members.altcha) return this.prove(members, said.challenge);
      if (said.errors) {
        return this.point(said.errors.map((one) => [one.pointer.slice(1), one.detail]));
      }
      if (answer.status === 422) return this.stepAside();
      this.say(answer.status === 429 ? texts.later : texts.trouble);
    }

    async prove(members, challenge) {
      this.say(this.data.texts.working);
      let altcha;
      try {
        altcha = await solve(challenge);
      } catch {
        return this.stepAside();
      }
      this.clear();
      return this.post({ ...members, altcha });
    }

    /* What cannot be settled here goes on in a frame of ours, with all that was typed. */
    stepAside() {
      const frame = make("iframe", { name: `${tag}-${this.list}`, title: this.data.texts.title });
      this.box.append(frame);
      Object.assign(this.form, { action: this.data.frame + this.query, target: frame.name, hidden: true });
      this.form.submit();
    }

    clear() {
      for (const one of this.box.querySelectorAll(".error")) one.textContent = "";
      for (const one of this.box.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
    }

    say(sentence) {
      this.trouble.textContent = sentence;
    }

    /* Each mistake stands at its field; the first of them has the focus. */
    point(wrong) {
      for (const [name, sentence] of wrong) {
        const error = this.box.querySelector(`#error-${CSS.escape(name)}`);
        const input = error && this.box.querySelector(`[name="${CSS.escape(name)}"]`);
        if (!input) this.say(sentence);
        else {
          error.textContent = sentence;
          input.setAttribute("aria-invalid", "true");
        }
      }
      (this.box.querySelector("[aria-invalid]") || this.button).focus();
    }

    done(said) {
      const { inbox, lang } = this.data;
      const { registration } = said;
      const [first, ...others] = said.lists || [said.list];
      const page = `${base}/subscribe/${first}/check-inbox?${new URLSearchParams({ r: registration, lang, also: others })}`;
      const correct = make("button", { type: "button", class: "quiet" }, inbox.correct);
      correct.onclick = () => {
        fill(this.told);
        fill(this.next);
        this.form.hidden = false;
        this.form.elements.email.focus();
      };
      this.form.hidden = true;
      fill(this.next, this.code(registration),
        make("p", {}, make("a", { href: page, target: "_blank", part: "link" }, inbox.more)), correct);
      this.report(registration, "subscribed", make("h2", {}, inbox.heading), make("p", {}, inbox.lead),
        said.hint && make("p", {}, make("strong", {}, said.hint)),
        make("dl", {}, ...inbox.facts.flatMap(([term, fact]) => [make("dt", {}, term), make("dd", {}, fact)])),
        make("p", {}, inbox.hint));
    }

    report(registration, what, ...said) {
      fill(this.told, ...said);
      this.told.focus();
      const detail = { list: this.data.list, registration };
      this.dispatchEvent(new CustomEvent(what, { bubbles: true, composed: true, detail }));
    }

    /* The code of the mail confirms here; the server counts the wrong ones. */
    code(registration) {
      const { code } = this.data.inbox;
      const button = make("button", { part: "button" }, code.confirm);
      const form = make("form", { novalidate: true }, make("h2", {}, code.heading), this.field(code.field), button);
      this.whenSent(form, button, async () => {
        const wrong = await this.enter(registration, form.elements.code.value).catch(() => this.data.texts.trouble);
        if (wrong) this.point([["code", wrong]]);
      });
      return form;
    }

    async enter(registration, code) {
      const answer = await send("/api/v1/confirmations", { registration, code });
      const said = await answer.json();
      const texts = this.data.inbox.code;
      if (answer.status === 410) return texts.late;
      if (answer.status === 422) return texts.wrong[said.tries_left] || texts.unread;
      if (!answer.ok) return this.data.texts.trouble;
      fill(this.next);
      const names = this.data.lists.filter((one) => (said.lists || [said.list]).includes(one.list));
      this.report(registration, "confirmed", make("h2", {}, texts.done), ...names.map((one) => make("p", {}, one.name)));
    }
  }
  if (!customElements.get(tag)) customElements.define(tag, Form);

  /* The snippet is one script: where no element stands on the page, the form comes right after it. */
  const { list, ...options } = script.dataset;
  const insert = () => {
    if (!list || document.querySelector(`${tag}[list="${CSS.escape(list)}"]`)) return;
    const element = make(tag, { list, ...options });
    if (document.body.contains(script)) script.after(element);
    else document.body.append(element);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", insert);
  else insert();
})();
