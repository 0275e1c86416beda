/** Building elements, without any markup made from text. */

/**
 * An element: `h("button.round", {title: "x", onclick: f}, "text", child)`.
 * Names that begin with "on" are listeners, `testid` is `data-testid`, null and false are left out.
 * @param {string} tag name and classes, "div.card.wide"
 * @param {Record<string, any>} [given]
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function h(tag, given = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "testid") element.dataset.testid = value;
    else if (key in element && typeof value !== "string") /** @type {any} */ (element)[key] = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element of a drawing.
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/**
 * The element of the page with this id.
 * @param {string} id
 * @returns {any}
 */
export const byId = (id) => document.getElementById(id);

/**
 * Sets text only where it is another, so that nothing is laid out for nothing.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes a canvas as fine as the screen and says how wide and high it is, in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function fit(canvas, width, height) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  return brush;
}

/**
 * Calls at most once in `pause` milliseconds, the last call always.
 * @template {any[]} A
 * @param {number} pause
 * @param {(...given: A) => void} act
 */
export function paced(pause, act) {
  let timer = 0;
  let last = -Infinity;
  /** @param {A} given */
  return (...given) => {
    clearTimeout(timer);
    const wait = last + pause - performance.now();
    const now = () => {
      last = performance.now();
      act(...given);
    };
    if (wait <= 0) now();
    else timer = window.setTimeout(now, wait);
  };
}

const less = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Whether nothing is to move: the person's system says so, or the address has `?still`. */
export const calm = () => less.matches || document.documentElement.classList.contains("still");
