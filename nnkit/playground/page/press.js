/** A button that is rebuilt while it is pressed gets no click: what would rebuild it waits until it is let go. */

const LONGEST_MS = 1500;
const PRESSES = [
  ["pointerdown", "pointerup", "pointercancel"],
  ["keydown", "keyup"],
];

/** @param {Event} event */
const onButton = (event) =>
  event.target instanceof Element &&
  event.target.closest("button") !== null &&
  (!(event instanceof KeyboardEvent) || event.key === " ");

/**
 * Passes on what is given, in its order; while a button is pressed, later.
 * @template What
 * @param {(what: What) => void} act
 * @param {(what: What) => boolean} harmless what need not wait, unless something before it does
 * @returns {(what: What) => void}
 */
export function unpressed(act, harmless) {
  let pressed = false;
  let timer = 0;
  /** @type {What[]} */
  let waiting = [];

  const press = (/** @type {Event} */ event) => {
    if (!onButton(event)) return;
    pressed = true;
    clearTimeout(timer);
    timer = window.setTimeout(release, LONGEST_MS);
  };
  const release = () => {
    clearTimeout(timer);
    pressed = false;
    const all = waiting;
    waiting = [];
    all.forEach(act);
  };
  for (const [start, ...ends] of PRESSES) {
    window.addEventListener(start, press, true);
    for (const end of ends) window.addEventListener(end, () => pressed && setTimeout(release), true); // after the click
  }
  return (what) => {
    if (pressed && (waiting.length || !harmless(what))) waiting.push(what);
    else act(what);
  };
}
