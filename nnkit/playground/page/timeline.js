/** The plan as a drawing: time goes to the right, layers go down; forward and backward make a V. */

import { svg } from "./dom.js";
import { duration } from "./format.js";

const [LEFT, RIGHT, TOP, ROW] = [86, 10, 8, 20];
const LEAST = 5;

export class Timeline {
  /** @param {(step: number | null) => void} look called with the step under the pointer */
  constructor(look) {
    this.look = look;
    this.root = svg("svg", {
      class: "timeline",
      role: "img",
      "aria-label": "Steps of the plan over time, one row for each layer",
    });
    /** @type {SVGElement[]} */
    this.blocks = [];
    this.root.addEventListener("pointerover", (event) => {
      const at = /** @type {any} */ (event.target).dataset?.at;
      this.look(at === undefined ? null : Number(at));
    });
    this.root.addEventListener("pointerleave", () => this.look(null));
  }

  /**
   * @param {any[]} steps
   * @param {number[]} rows
   * @param {string[]} names of the rows
   * @param {number} width
   */
  draw(steps, rows, names, width) {
    const room = width - LEFT - RIGHT;
    const height = TOP + names.length * ROW + 20;
    this.root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.root.setAttribute("height", String(height));
    const total = steps.reduce((sum, step) => sum + step.seconds, 0) || 1;
    const least = Math.min(LEAST, (room * 0.8) / Math.max(1, steps.length));
    const scale = (room - least * steps.length) / total;
    const parts = names.map((name, row) => {
      const y = TOP + row * ROW;
      const label = svg("text", { x: LEFT - 10, y: y + ROW / 2 + 4, "text-anchor": "end", class: "row-name" }, name);
      return svg(
        "g",
        { class: "row", "data-row": row },
        svg("rect", { x: LEFT, y: y + 1, width: room, height: ROW - 2, rx: 5, class: "row-back" }),
        label,
      );
    });
    let x = LEFT;
    let way = "";
    this.blocks = steps.map((step, at) => {
      const wide = least + step.seconds * scale;
      const y = TOP + rows[at] * ROW;
      way += `${at ? "L" : "M"}${(x + wide / 2).toFixed(1)} ${y + ROW / 2}`;
      const block = svg(
        "rect",
        {
          x: (x + 0.5).toFixed(2),
          y: y + 3,
          width: Math.max(1.5, wide - 1).toFixed(2),
          height: ROW - 6,
          rx: 3,
          class: `block ${step.phase}`,
          "data-at": at,
        },
        svg("title", {}, `${step.number}. ${step.what}, ${duration(step.seconds)}`),
      );
      x += wide;
      return block;
    });
    const foot = TOP + names.length * ROW + 14;
    this.root.replaceChildren(
      ...parts,
      svg("path", { d: way, class: "way" }),
      ...this.blocks,
      svg("text", { x: LEFT, y: foot, class: "row-name" }, "0"),
      svg("text", { x: LEFT + room, y: foot, "text-anchor": "end", class: "row-name" }, duration(total)),
    );
  }

  /** @param {(at: number) => boolean} chosen @param {boolean} any whether some are */
  light(chosen, any) {
    this.root.classList.toggle("looking", any);
    this.blocks.forEach((block, at) => block.classList.toggle("lit", any && chosen(at)));
  }
}
