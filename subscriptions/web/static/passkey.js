/* Passkeys: the dialogue is the browser's own, and its answer goes with the form like anything that is typed. */
(() => {
  "use strict";
  if (!window.PublicKeyCredential) return;
  const octets = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  const named = (keys) => keys.map((key) => ({ ...key, id: octets(key.id) }));

  async function answer(kind, options) {
    const publicKey = { ...options, challenge: octets(options.challenge) };
    if (options.user) publicKey.user = { ...options.user, id: octets(options.user.id) };
    for (const keys of ["allowCredentials", "excludeCredentials"]) if (options[keys]) publicKey[keys] = named(options[keys]);
    const found = await navigator.credentials[kind]({ publicKey });
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (found.response[part]) response[part] = text(found.response[part]);
    return { id: found.id, rawId: text(found.rawId), type: found.type, response, clientExtensionResults: {} };
  }

  for (const button of document.querySelectorAll("button[data-passkey]")) {
    const told = button.parentElement.querySelector(".told");
    button.addEventListener("click", async () => {
      told.textContent = "";
      try {
        const given = await answer(button.dataset.kind, JSON.parse(button.dataset.passkey));
        button.form.querySelector(`[name="${button.dataset.into}"]`).value = JSON.stringify(given);
        button.form.submit(); /* past the fields that a password would need */
      } catch {
        told.textContent = button.dataset.failed; /* closed, too late, or none here */
      }
    });
  }
  document.querySelectorAll("[data-scripted]").forEach((one) => (one.hidden = false));
})();
