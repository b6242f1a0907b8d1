// What the pages cannot do without a script: delete, and remember which groups are open. Everything else works
// without this file. Text from the gateway is only ever set as text, never as HTML.
"use strict";

const OPEN_KEY = "pushgate.open";
const NOTICE_KEY = "pushgate.notice";
// So many are remembered; a browser keeps some megabytes for a site.
const MAX_OPEN = 500;

const byId = (id) => document.getElementById(id);
const all = (selector) => Array.from(document.querySelectorAll(selector));

// A browser may be told to keep nothing; then nothing is remembered.
function recall(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // As above.
  }
}

// --- Which groups are open, in this tab, also after a reload and on other pages of the list.

function restoreOpen() {
  const kept = recall(OPEN_KEY);
  const open = new Set(Array.isArray(kept) ? kept : []);
  for (const group of all("article[data-path]")) {
    const [path, details] = [group.dataset.path, group.querySelector("details")];
    details.open = open.has(path);
    details.addEventListener("toggle", () => {
      open.delete(path);
      if (details.open) {
        open.add(path);
      }
      remember(OPEN_KEY, Array.from(open).slice(-MAX_OPEN));
    });
  }
}

function offerOpenAll() {
  for (const [id, open] of [["open-all", true], ["close-all", false]]) {
    const button = byId(id);
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => all(".group details").forEach((group) => (group.open = open)));
    }
  }
}

// --- Deleting: a dialog asks, and shows why when the gateway refuses.

function offerDeleting() {
  const dialog = byId("confirm");
  if (!dialog) {
    return;
  }
  const [cancel, confirm, error] = [byId("confirm-cancel"), byId("confirm-delete"), byId("confirm-error")];
  let asked = null;

  function ask(request) {
    asked = request;
    byId("confirm-title").textContent = request.title;
    byId("confirm-what").textContent = request.what;
    error.hidden = true;
    dialog.showModal(); // Escape closes it, and the focus goes back to the button.
    cancel.focus();
  }

  function fail(reason) {
    error.textContent = reason;
    error.hidden = false;
  }

  async function send() {
    confirm.disabled = true;
    error.hidden = true;
    try {
      const answer = await fetch(asked.url, { method: asked.method, headers: { Accept: "text/plain" } });
      if (answer.ok) {
        remember(NOTICE_KEY, `Deleted: ${asked.what}`);
        location.reload(); // With its search and its page.
        return;
      }
      fail((await answer.text()).trim() || `The gateway answered with status ${answer.status}.`);
    } catch (problem) {
      fail(`The gateway cannot be reached: ${problem.message}`);
    }
    confirm.disabled = false;
    confirm.focus();
  }

  function offer(button, name, request) {
    button.hidden = false;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => ask(request));
  }

  for (const group of all("article[data-path]")) {
    const what = group.querySelector("h2").textContent.trim();
    const request = { title: "Delete this group?", what, url: group.dataset.path, method: "DELETE" };
    offer(group.querySelector(".delete"), `Delete the group ${what}`, request);
  }
  const wipe = byId("wipe");
  if (wipe) {
    const { what, path } = wipe.dataset;
    offer(wipe, `Delete ${what}`, { title: "Delete all groups?", what, url: path, method: "PUT" });
  }
  cancel.addEventListener("click", () => dialog.close());
  confirm.addEventListener("click", send);
}

// What was done before the page was loaded again.
function showNotice() {
  const notice = byId("notice");
  const text = recall(NOTICE_KEY);
  if (notice && typeof text === "string") {
    remember(NOTICE_KEY, null);
    notice.textContent = text;
    notice.hidden = false;
    byId("content").focus({ preventScroll: true });
  }
}

// The example says how this very gateway is reached.
function showBase() {
  for (const base of all("[data-base]")) {
    base.textContent = new URL(".", location.href).href;
  }
}

restoreOpen();
offerOpenAll();
offerDeleting();
showNotice();
showBase();
