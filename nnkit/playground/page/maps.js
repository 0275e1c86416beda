/** Small pictures of values: signed bytes become colours. Pictures and their memory are kept. */

import { colours } from "./colours.js";

/** @type {Map<string, {image: ImageData, words: Uint32Array}>} */
const sheets = new Map();

/** @param {number} width @param {number} height */
export function sheet(width, height) {
  const key = `${width}×${height}`;
  let found = sheets.get(key);
  if (!found) {
    const image = new ImageData(width, height);
    found = { image, words: new Uint32Array(image.data.buffer) };
    sheets.set(key, found);
  }
  return found;
}

/** @type {WeakMap<HTMLCanvasElement, CanvasRenderingContext2D>} */
const brushes = new WeakMap();

/** @param {HTMLCanvasElement} canvas @param {number} width @param {number} [height] */
export function brush(canvas, width, height = width) {
  let found = brushes.get(canvas);
  if (!found) {
    found = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    brushes.set(canvas, found);
  }
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return found;
}

/**
 * A square map of signed bytes, one pixel for each.
 * @param {HTMLCanvasElement} canvas
 * @param {Int8Array} values
 * @param {number} side
 * @param {number} [start]
 */
export function paint(canvas, values, side, start = 0) {
  const { image, words } = sheet(side, side);
  const { ramp } = colours();
  for (let i = 0, n = side * side; i < n; i++) words[i] = ramp[values[start + i] & 255];
  brush(canvas, side).putImageData(image, 0, 0);
}

const FINER = 6;

/**
 * Signs only, with a smooth border: values are drawn finer, then cut.
 * @param {HTMLCanvasElement} canvas
 * @param {Int8Array} values
 * @param {number} side
 */
export function paintSigns(canvas, values, side) {
  const size = side * FINER;
  const { image, words } = sheet(size, size);
  const { steps } = colours();
  for (let y = 0; y < size; y++) {
    const fy = Math.min(side - 1, Math.max(0, (y + 0.5) / FINER - 0.5));
    const top = Math.min(side - 2, Math.floor(fy)) * side;
    const down = fy - top / side;
    for (let x = 0; x < size; x++) {
      const fx = Math.min(side - 1, Math.max(0, (x + 0.5) / FINER - 0.5));
      const left = Math.min(side - 2, Math.floor(fx));
      const across = fx - left;
      const at = top + left;
      const above = values[at] + (values[at + 1] - values[at]) * across;
      const below = values[at + side] + (values[at + side + 1] - values[at + side]) * across;
      words[y * size + x] = steps[above + (below - above) * down < 0 ? 129 : 127];
    }
  }
  brush(canvas, size).putImageData(image, 0, 0);
}

/**
 * The likeliest class of each place, stronger where it is surer.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} classes
 * @param {Int8Array} sure
 * @param {number} side
 * @param {boolean} discrete
 */
export function paintClasses(canvas, classes, sure, side, discrete) {
  const { image, words } = sheet(side, side);
  const { byClass } = colours();
  for (let i = 0, n = side * side; i < n; i++) {
    words[i] = byClass[classes[i] % byClass.length][discrete ? 110 : sure[i] & 127];
  }
  brush(canvas, side).putImageData(image, 0, 0);
}

/**
 * Ink, 0 to 255.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} values
 * @param {number} side
 * @param {number} [start]
 */
export function paintInk(canvas, values, side, start = 0) {
  const { image, words } = sheet(side, side);
  const { ink } = colours();
  for (let i = 0, n = side * side; i < n; i++) words[i] = ink[values[start + i]];
  brush(canvas, side).putImageData(image, 0, 0);
}
