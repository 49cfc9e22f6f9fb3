// @ts-check
/**
 * Keeps which messengers' pages are open, and tells the native host whenever that changes. It knows no tabs, only the pages that report
 * themselves, so nothing is lost when the browser puts it to sleep: the pages report again. Without such a page no host runs.
 *
 * @typedef {{messenger: string, focused: boolean}} Page
 * @typedef {{profile: string, pages: Page[]}} Picture
 */
"use strict";

const HOST = "decorum.web";
const LINGER_MILLISECONDS = 5000; // a page that is loaded anew is away for a moment
const RETRY_MILLISECONDS = { first: 1000, last: 60000 };

const api = globalThis.browser ?? globalThis.chrome;

/** @type {Map<object, Page>} By the port through which a page reports. */
const pages = new Map();
const profile = profileOfBrowser();
let host = null;
let told = "";
let pause = RETRY_MILLISECONDS.first;
let farewell = 0;
let retry = 0;

/** @returns {Promise<string>} A random number that this profile of the browser keeps. */
async function profileOfBrowser() {
  const kept = (await api.storage.local.get("profile")).profile;
  if (typeof kept === "string") return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  await api.storage.local.set({ profile: made });
  return made;
}

/** @returns {Page[]} One for each messenger; focused if any of its pages is. */
function summary() {
  /** @type {Map<string, boolean>} */
  const focused = new Map();
  for (const page of pages.values()) {
    focused.set(page.messenger, page.focused || (focused.get(page.messenger) ?? false));
  }
  return [...focused].sort().map(([messenger, isFocused]) => ({ messenger, focused: isFocused }));
}

async function tell() {
  /** @type {Picture} */
  const picture = { profile: await profile, pages: summary() };
  const text = JSON.stringify(picture);
  if (host === null && pages.size > 0) openHost();
  if (host === null || text === told) return;
  told = text;
  host.postMessage(picture);
  clearTimeout(farewell);
  if (pages.size === 0) farewell = setTimeout(closeHost, LINGER_MILLISECONDS);
}

function openHost() {
  clearTimeout(retry);
  const opened = api.runtime.connectNative(HOST);
  const openedAt = Date.now();
  opened.onDisconnect.addListener(() => {
    void api.runtime.lastError;
    if (host !== opened) return;
    forgetHost();
    pause = Date.now() - openedAt > RETRY_MILLISECONDS.last ? RETRY_MILLISECONDS.first : Math.min(2 * pause, RETRY_MILLISECONDS.last);
    retry = setTimeout(tell, pause);
  });
  host = opened;
}

function closeHost() {
  host?.disconnect();
  forgetHost();
}

function forgetHost() {
  host = null;
  told = "";
}

api.runtime.onConnect.addListener((port) => {
  port.onMessage.addListener((page) => {
    pages.set(port, page);
    tell();
  });
  port.onDisconnect.addListener(() => {
    void api.runtime.lastError;
    pages.delete(port);
    tell();
  });
});

// Browsers run the script in pages that load from now on; those of messengers that are open already are asked for by their addresses' patterns.
api.runtime.onInstalled.addListener(async () => {
  const [script] = api.runtime.getManifest().content_scripts;
  for (const tab of await api.tabs.query({ url: script.matches })) {
    api.scripting.executeScript({ target: { tabId: tab.id }, files: script.js }).catch(() => undefined);
  }
});
