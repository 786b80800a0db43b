// Lets people prove by a passkey who they are, beside their passphrase. Where there is no script, or a
// browser knows no passkeys, its buttons stay hidden, and the printed code does in its place.
//
//   the server asks ─► the device answers ─► the answer goes back with the passphrase
"use strict";
(() => {
  const kind = window.PublicKeyCredential;
  const able = kind && kind.parseRequestOptionsFromJSON && kind.parseCreationOptionsFromJSON && kind.prototype.toJSON;
  if (!able) return;

  const send = async (path, body) => {
    const headers = body ? { "content-type": "application/json" } : {};
    const answer = await fetch(path, { method: "POST", credentials: "same-origin", headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw Object.assign(new Error(path), { status: answer.status });
    return answer.json();
  };
  const answered = async (path, body) => {
    const { challenge, options } = await send(path, body);
    const publicKey = kind.parseRequestOptionsFromJSON(options.publicKey);
    const credential = await navigator.credentials.get({ publicKey });
    return { challenge, credential: credential.toJSON() };
  };

  const ways = {
    // Logs in, and goes where the form would have led to.
    login: async (form) => {
      const [account, passphrase] = [form.elements.account.value, form.elements.passphrase.value];
      const passkey = await answered("/api/v1/session/challenge", { account, passphrase });
      await send("/api/v1/session", { account, passphrase, passkey });
      location.assign(form.elements.next.value);
    },
    // Proves it in the session; then the form goes on its way, without the words.
    proof: async (form, box) => {
      const passphrase = box.querySelector("[name=passphrase]").value;
      const passkey = await answered("/api/v1/session/proof/challenge");
      await send("/api/v1/session/proof", { passphrase, passkey });
      for (const field of box.querySelectorAll("input")) {
        field.required = false;
        field.value = "";
      }
      form.requestSubmit();
    },
    // Adds one.
    add: async (form) => {
      const { challenge, options } = await send("/api/v1/me/passkeys/challenge");
      const publicKey = kind.parseCreationOptionsFromJSON(options.publicKey);
      const credential = await navigator.credentials.create({ publicKey });
      await send("/api/v1/me/passkeys", { title: form.elements.title.value, challenge, credential: credential.toJSON() });
      location.assign("/me?done=passkey");
    },
  };

  const said = (box, status) => {
    const line = box.querySelector(".passkey-said");
    const word = { 403: "wrong", 409: "none", 429: "later" }[status] || "failed";
    line.textContent = line.dataset[word];
    line.hidden = false;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-passkey]");
    if (!button) return;
    const box = button.closest(".passkey-box");
    if (!button.form.reportValidity()) return;
    button.disabled = true;
    box.querySelector(".passkey-said").hidden = true;
    try {
      await ways[button.dataset.passkey](button.form, box);
    } catch (error) {
      said(box, error.status);
    } finally {
      button.disabled = false;
    }
  });
  const show = () => {
    for (const part of document.querySelectorAll("[data-passkey-hidden]")) {
      // Another passphrase takes the one before in the form itself.
      if (!part.closest("[data-words-needed]")) part.hidden = false;
    }
  };
  document.addEventListener("beistand:fresh", show);
  show();
})();
