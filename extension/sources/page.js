// @ts-check
/**
 * Runs in the pages of listed messengers and nowhere else. Tells the background that such a page is there and whether it has the
 * keyboard; reads nothing of the page but its origin and changes nothing in it.
 */
(() => {
  "use strict";
  const RETRY_MILLISECONDS = 1000;
  const api = globalThis.browser ?? globalThis.chrome;
  const messenger = messengerOf(location.origin);
  if (messenger === undefined || window.top !== window || globalThis.decorumPage?.isAlive()) return;

  /** @param {string} origin @returns {string | undefined} The messenger of an origin, or of all hosts below one that it is below of. */
  function messengerOf(origin) {
    const known = globalThis.decorumMessengers;
    if (origin in known) return known[origin];
    const labels = origin.slice("https://".length).split(".").slice(1);
    while (labels.length > 0) {
      const below = `https://*.${labels.join(".")}`;
      if (below in known) return known[below];
      labels.shift();
    }
    return undefined;
  }

  const watched = /** @type {const} */ ([
    [window, "focus"],
    [window, "blur"],
    [document, "visibilitychange"],
  ]);
  let port = null;
  let retry = 0;
  let told = "";
  let stopped = false;

  const isFocused = () => document.visibilityState === "visible" && document.hasFocus();

  function tell() {
    const focused = isFocused();
    if (port === null || told === String(focused)) return;
    told = String(focused);
    port.postMessage({ messenger, focused });
  }

  function begin() {
    clearTimeout(retry);
    if (port !== null || document.prerendering) return;
    try {
      port = api.runtime.connect({ name: "page" });
    } catch {
      stop(); // the extension is gone; its successor runs in this page by itself
      return;
    }
    port.onDisconnect.addListener(() => {
      void api.runtime.lastError;
      port = null;
      retry = setTimeout(begin, RETRY_MILLISECONDS); // the background has been put to sleep, and wakes by being asked
    });
    told = "";
    tell();
  }

  function end() {
    clearTimeout(retry);
    port?.disconnect();
    port = null;
  }

  function stop() {
    stopped = true;
    end();
    for (const [target, name] of watched) target.removeEventListener(name, tell);
    window.removeEventListener("pageshow", begin);
    window.removeEventListener("pagehide", end);
  }

  for (const [target, name] of watched) target.addEventListener(name, tell);
  window.addEventListener("pageshow", begin); // back from the browser's cache of pages
  window.addEventListener("pagehide", end);
  document.addEventListener("prerenderingchange", begin, { once: true });
  globalThis.decorumPage = { isAlive: () => !stopped && api.runtime?.id !== undefined };
  begin();
})();
