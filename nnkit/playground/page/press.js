/** A button that is rebuilt while it is pressed gets no click: what would rebuild it waits until it is let go. */

const LONGEST_MS = 1500;
const PRESSES = [
  ["pointerdown", "pointerup", "pointercancel"],
  ["keydown", "keyup"],
];

/** @param {Event} event */
const onButton = (event) =>
  event.target instanceof Element &&
  event.target.closest("button, label") !== null &&
  (!(event instanceof KeyboardEvent) || (event.key === " " && !event.repeat));

/**
 * Passes on what is given, in its order; while a button is pressed, later. What had to wait comes in tasks of its own,
 * so that whatever an answer sets off has run before the next.
 * @template What
 * @param {(what: What) => void} act
 * @param {(what: What) => boolean} harmless what need not wait, unless something before it does
 * @returns {(what: What) => void}
 */
export function unpressed(act, harmless) {
  let pressed = false;
  let passing = false;
  let timer = 0;
  /** @type {What[]} */
  const waiting = [];

  const after = (/** @type {number} */ wait) => {
    clearTimeout(timer);
    timer = window.setTimeout(release, wait);
  };
  const press = (/** @type {Event} */ event) => {
    if (!onButton(event)) return;
    pressed = true;
    after(LONGEST_MS);
  };
  const release = () => {
    pressed = false;
    if (!passing) pass();
  };
  const pass = () => {
    passing = !pressed && waiting.length > 0;
    if (!passing) return;
    setTimeout(pass); // before the message, which may be a faulty one
    act(/** @type {What} */ (waiting.shift()));
  };
  for (const [start, ...ends] of PRESSES) {
    window.addEventListener(start, press, true);
    for (const end of ends) window.addEventListener(end, () => pressed && after(0), true); // after the click
  }
  return (what) => {
    if (passing || waiting.length || (pressed && !harmless(what))) waiting.push(what);
    else act(what);
  };
}
