/** Sentences for the person: what was put right, what went wrong, what was reached. */

import { byId, h } from "./dom.js";
import { sentence } from "./format.js";

const MOST = 6;
/** How long a sentence stays, unless it is closed before. */
const STAYS_MS = { good: 6000, info: 15000, error: 40000 };

/**
 * Shows a sentence until it is closed, or for a while.
 * @param {string} text
 * @param {"info" | "error" | "good"} [kind]
 */
export function notice(text, kind = "info") {
  const host = byId("notices");
  const same = [...host.children].find((each) => each.dataset.text === text);
  same?.remove();
  const close = () => card.remove();
  const card = h(
    `div.notice.${kind}`,
    { testid: "notice", role: kind === "error" ? "alert" : null },
    h("span.notice-mark", { "aria-hidden": "true" }, { info: "i", error: "!", good: "✓" }[kind]),
    h("p", {}, text),
    h("button.quiet.close", { type: "button", "aria-label": "Close this notice", onclick: close }, "×"),
  );
  card.dataset.text = text;
  host.append(card);
  while (host.children.length > MOST) host.firstChild.remove();
  window.setTimeout(close, STAYS_MS[kind]);
}

/**
 * The banner above everything, for what has to be dealt with; null hides it.
 * @param {string} id "lost" or "end"
 * @param {string | null} text
 * @param {string} [more] what to unfold
 */
export function banner(id, text, more = "") {
  const element = byId(`banner-${id}`);
  element.hidden = text === null;
  element.querySelector("p").textContent = text ?? "";
  const why = element.querySelector("details");
  if (!why) return;
  why.hidden = !more;
  why.open = false;
  why.querySelector("p").textContent = sentence(more);
}
