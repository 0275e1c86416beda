/** Colours: orange below zero, blue above, six for classes that colour-blind people tell apart. */

const NEGATIVE = { light: [240, 138, 36], dark: [247, 150, 56] };
const POSITIVE = { light: [42, 127, 212], dark: [72, 156, 240] };
const NEUTRAL = { light: [243, 244, 246], dark: [27, 33, 43] };
const CLASSES = [
  [68, 119, 170],
  [238, 102, 119],
  [34, 136, 51],
  [204, 187, 68],
  [102, 204, 238],
  [170, 51, 119],
  [136, 136, 136],
  [221, 120, 40],
  [120, 90, 200],
  [40, 170, 150],
];

const dark = window.matchMedia("(prefers-color-scheme: dark)");
/** @type {(() => void)[]} */
const listeners = [];
dark.addEventListener("change", () => {
  made = make();
  listeners.forEach((each) => each());
});

/** @param {() => void} act called when the theme changes */
export const onTheme = (act) => listeners.push(act);

/** @typedef {number[]} RGB */

/** @param {RGB} a @param {RGB} b @param {number} t @returns {RGB} */
const mix = (a, b, t) => a.map((value, i) => Math.round(value + (b[i] - value) * t));
/** @param {RGB} c */
const packed = (c) => ((255 << 24) | (c[2] << 16) | (c[1] << 8) | c[0]) >>> 0;
/** @param {RGB} c @param {number} [alpha] */
const css = (c, alpha = 1) => `rgba(${c[0]},${c[1]},${c[2]},${alpha})`;

function make() {
  const theme = dark.matches ? "dark" : "light";
  const [low, middle, high] = [NEGATIVE[theme], NEUTRAL[theme], POSITIVE[theme]];
  const ramp = new Uint32Array(256);
  const steps = new Uint32Array(256);
  for (let value = -128; value < 128; value++) {
    const share = Math.min(1, Math.abs(value) / 127) ** 0.85;
    ramp[value & 255] = packed(mix(middle, value < 0 ? low : high, share * 0.94));
    steps[value & 255] = packed(mix(middle, value < 0 ? low : high, 0.72));
  }
  const classes = CLASSES.map((colour) => (theme === "dark" ? mix(colour, [255, 255, 255], 0.12) : colour));
  const byClass = classes.map((colour) => {
    const line = new Uint32Array(128);
    for (let value = 0; value < 128; value++) line[value] = packed(mix(middle, colour, 0.1 + (0.72 * value) / 127));
    return line;
  });
  const ink = new Uint32Array(256);
  const [paper, pen] =
    theme === "dark"
      ? [
          [18, 22, 29],
          [238, 242, 247],
        ]
      : [
          [255, 255, 255],
          [23, 28, 36],
        ];
  for (let value = 0; value < 256; value++) ink[value] = packed(mix(paper, pen, value / 255));
  return { theme, low, middle, high, ramp, steps, classes, byClass, ink };
}

let made = make();

/** What the theme has: `ramp` and `steps` are indexed by a signed byte & 255, `byClass` by class and 0 … 127. */
export const colours = () => made;

/**
 * Colour of a weight.
 * @param {boolean} negative
 * @param {number} [alpha]
 */
export const sign = (negative, alpha = 1) => css(negative ? made.low : made.high, alpha);

/**
 * Colour of a point's class or value.
 * @param {number} label
 * @param {boolean} regression
 * @param {number} classes
 */
export function ofPoint(label, regression, classes) {
  if (regression) return css(mix(made.middle, label < 0 ? made.low : made.high, Math.min(1, Math.abs(label)) ** 0.7));
  if (classes <= 2) return css(deeper(label > 0 ? made.high : made.low));
  return css(deeper(made.classes[label % made.classes.length]));
}

/** Points stand out from the ground of their class. @param {RGB} colour */
const deeper = (colour) => mix(colour, made.theme === "dark" ? [255, 255, 255] : [20, 10, 0], 0.16);

/** @param {number} value −1 … 1 */
export const ofValue = (value) =>
  css(mix(made.middle, value < 0 ? made.low : made.high, Math.min(1, Math.abs(value)) ** 0.85));

/** A colour of the style sheet. @param {string} name */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
