/** Test digits that the network takes for others; one of them can be put on the pad. */

import { byId, h, paced, say } from "./dom.js";
import { several } from "./format.js";
import { bytes } from "./frames.js";
import { paintInk } from "./maps.js";
import { on, store } from "./store.js";

const PAGE = 24;
let from = 0;
let total = 0;
let asking = false;
let seen = false;
let step = -1;

/** @param {(pixels: Uint8Array) => void} take */
export function mistakes(take) {
  const host = byId("mistakes");
  const gallery = h("div.gallery", { testid: "mistake-list" });
  const words = h("p.summary", { testid: "mistake-count" });
  const turn = (/** @type {number} */ way) => {
    from = Math.max(0, from + way * PAGE);
    fetchPage(true);
  };
  const back = h("button.plain", { type: "button", testid: "mistakes-back", onclick: () => turn(-1) }, "Back");
  const next = h("button.plain", { type: "button", testid: "mistakes-next", onclick: () => turn(1) }, "Next");
  const again = h(
    "button.plain",
    { type: "button", testid: "mistakes-refresh", onclick: () => fetchPage(true) },
    "Look again",
  );
  host.append(
    h(
      "div.card-head",
      {},
      h("h2", { id: "mistakes-title" }, "Mistakes"),
      words,
      h("div.pair.mistake-buttons", {}, back, next, again),
    ),
    h(
      "p.caption",
      {},
      "Test digits that the network takes for another, the surest first. Click one to put it on the pad.",
    ),
    gallery,
  );
  new IntersectionObserver((entries) => {
    seen = entries[0].isIntersecting;
    if (seen) fetchPage(false);
  }).observe(host);
  const often = paced(1500, () => fetchPage(false));
  const look = (/** @type {import("./store.js").Lane} */ lane) => {
    if (lane.number || !store.digits || !seen) return;
    if (lane.running) often();
    else fetchPage(false);
  };
  on("frame", look);
  on("running", look);
  on("state", (lane) => {
    if (lane.number === 0) [from, step] = [0, -1];
  });

  /** @param {boolean} anyway */
  async function fetchPage(anyway) {
    const now = store.lanes[0].frame?.step ?? 0;
    if (!store.digits || asking || (!anyway && now === step) || !store.connection?.open) return;
    asking = true;
    step = now;
    try {
      const answer = await store.connection.ask({ do: "mistakes", lane: 0, from, count: PAGE });
      total = answer.total;
      fill(answer);
    } catch {
      [asking, step] = [false, -1]; // the tab may have changed in between; the next look asks again
      return;
    }
    asking = false;
    const { frame, running } = store.lanes[0];
    if (!running && seen && frame && frame.step !== step) fetchPage(false);
  }

  /** @param {any} answer */
  function fill({ size, items, pixels }) {
    if (!items.length && from > 0) {
      turn(-1);
      return;
    }
    const raw = bytes(pixels);
    say(
      words,
      total
        ? `${several(total, "test digit")} wrong; ${from + 1} to ${from + items.length} shown`
        : "None: every test digit is read right.",
    );
    back.disabled = from === 0;
    next.disabled = from + items.length >= total;
    const focus = [...gallery.children].indexOf(/** @type {any} */ (document.activeElement));
    gallery.replaceChildren(
      ...items.map((/** @type {any} */ item, /** @type {number} */ at) => {
        const canvas = h("canvas", { "aria-hidden": "true", width: size, height: size });
        const own = raw.slice(at * size * size, (at + 1) * size * size);
        paintInk(canvas, own, size);
        return h(
          "button.mistake",
          {
            type: "button",
            testid: `mistake-${at}`,
            "aria-label": `A ${item.label}, read as ${item.predicted}; put it on the pad`,
            onclick: () => take(own),
          },
          canvas,
          h("span", {}, h("b.right", {}, String(item.label)), " → ", h("b.wrong", {}, String(item.predicted))),
          h("small", {}, `${Math.round(item.probability * 100)} %`),
        );
      }),
    );
    if (focus >= 0)
      /** @type {any} */ (gallery.children[Math.min(focus, items.length - 1)])?.focus({ preventScroll: true });
  }
}
