/** Controls with a label: a list, a number, a slider. Each has `element`, and `set(value)` that leaves alone what is being typed. */

import { h, paced } from "./dom.js";
import { plain } from "./format.js";

/**
 * @typedef {object} Field
 * @property {any} element
 * @property {any} input
 * @property {(value: any) => void} set
 * @property {(options: {value: any, label: string}[]) => void} [offer]
 */

let made = 0;

/** @param {string} label @param {any} input @param {string} [kind] @param {any} [more] */
function framed(label, input, kind = "", more = null) {
  input.id = `field-${++made}`;
  return h(`div.field${kind}`, {}, h("label", { for: input.id }, label), more, input);
}

/**
 * A list to choose from.
 * @param {string} label
 * @param {string} testid
 * @param {(value: string) => void} act
 * @returns {Field}
 */
export function choice(label, testid, act) {
  const input = h("select", { testid, onchange: () => act(input.value) });
  return {
    element: framed(label, input),
    input,
    set: (value) => {
      if (document.activeElement !== input || input.value !== String(value)) input.value = String(value);
    },
    offer: (options) => offer(input, options),
  };
}

/** @param {any} input @param {{value: any, label: string}[]} options */
export function offer(input, options) {
  const before = input.value;
  input.replaceChildren(...options.map(({ value, label }) => h("option", { value: String(value) }, label)));
  input.value = before;
}

/**
 * A number to type; arrow keys go up and down, in tenths of a decade if `ladder` is given.
 * @param {string} label
 * @param {string} testid
 * @param {(value: number | string) => void} act
 * @param {{ladder?: boolean, step?: number, low?: number, high?: number}} [how]
 * @returns {Field}
 */
export function typed(label, testid, act, how = {}) {
  let shown = "";
  let edited = false;
  const input = h("input", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    spellcheck: "false",
    testid,
    onchange: commit,
    oninput: () => (edited = true),
    onkeydown: keys,
    onfocus: () => input.select(),
    onblur: () => {
      if (edited) input.value = shown; // typed and put back: no change was told
      edited = false;
    },
  });
  function commit() {
    const text = input.value.trim().replace("−", "-").replace(",", ".");
    edited = false;
    if (text === shown) return;
    shown = text;
    act(text === "" || Number.isNaN(Number(text)) ? text : Number(text));
  }
  /** @param {KeyboardEvent} event */
  function keys(event) {
    if (event.key === "Enter") commit();
    const way = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (!way) return;
    event.preventDefault();
    const now = Number(input.value.replace("−", "-")) || 0;
    let next = how.ladder ? rung(now, way) : now + way * (how.step ?? 1);
    if (how.low !== undefined) next = Math.max(how.low, next);
    if (how.high !== undefined) next = Math.min(how.high, next);
    input.value = plain(next);
    commit();
  }
  return {
    element: framed(label, input),
    input,
    set: (value) => {
      const text = typeof value === "number" ? plain(value) : String(value ?? "");
      shown = text;
      if (edited || input.value === text) return;
      input.value = text;
      if (document.activeElement === input) input.select(); // what is typed next takes its place
    },
  };
}

/** The next of 1, 3, 10, 30 … @param {number} value @param {number} way */
export function rung(value, way) {
  if (value <= 0) return way > 0 ? 0.0001 : 0;
  const decade = Math.floor(Math.log10(value) + 1e-9);
  const steps = [0.3, 1, 3, 10].map((each) => each * 10 ** decade);
  return way > 0
    ? (steps.find((each) => each > value * 1.001) ?? value)
    : (steps.findLast((each) => each < value * 0.999) ?? value);
}

/**
 * A slider; `form` words its value.
 * @param {string} label
 * @param {string} testid
 * @param {(value: number) => void} act
 * @param {{low: number, high: number, step?: number, form?: (value: number) => string}} how
 * @returns {Field}
 */
export function slider(label, testid, act, how) {
  const form = how.form ?? String;
  const output = h("output", { "aria-hidden": "true" });
  const value = () => Number(input.value);
  let due = false;
  const slow = paced(150, (/** @type {number} */ now) => {
    due = false;
    act(now);
  });
  const input = h("input", {
    type: "range",
    min: String(how.low),
    max: String(how.high),
    step: String(how.step ?? 1),
    testid,
    oninput: () => {
      due = true;
      word(value());
      slow(value());
    },
  });
  /** @param {number} now */
  function word(now) {
    output.textContent = form(now);
    input.setAttribute("aria-valuetext", form(now));
    const [low, high] = [Number(input.min), Number(input.max)];
    input.style.setProperty("--share", `${((Number(input.value) - low) / (high - low || 1)) * 100}%`);
  }
  let held = false;
  let known = how.low;
  input.addEventListener("pointerdown", () => (held = true));
  window.addEventListener("pointerup", () => {
    if (held && !due) show(known); // what was refused goes back
    held = false;
  });
  /** @param {number} now */
  function show(now) {
    input.value = String(now);
    word(now);
  }
  return {
    element: framed(label, input, ".slider", output),
    input,
    set: (now) => {
      known = now;
      if (!held && !due) show(now);
    },
  };
}

/**
 * A box to tick.
 * @param {string} label
 * @param {string} testid
 * @param {(value: boolean) => void} act
 * @returns {Field}
 */
export function tick(label, testid, act) {
  const input = h("input", { type: "checkbox", testid, onchange: () => act(input.checked) });
  return {
    element: h("label.tick", {}, input, h("span", {}, label)),
    input,
    set: (value) => (input.checked = Boolean(value)),
  };
}
