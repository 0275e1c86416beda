/** Losses and accuracy as large numbers, for one network or for two side by side; and the confusion matrix. */

import { h, say } from "./dom.js";
import { count, loss, number, percent } from "./format.js";
import { on, store } from "./store.js";

/** Numbers of one network. */
export class Scores {
  /** @param {import("./store.js").Lane} lane */
  constructor(lane) {
    this.lane = lane;
    const mark = lane.number ? "b-" : "";
    const big = (/** @type {string} */ testid) => h("output.figure", { testid: mark + testid }, "–");
    this.test = big("test-loss");
    this.train = big("train-loss");
    this.right = big("accuracy");
    this.rightTrain = h("output", { testid: `${mark}train-accuracy` });
    this.kind = h("span", {}, "Accuracy");
    this.more = h("p.more-figures", { testid: `${mark}figures` });
    this.speed = h("output", { testid: `${mark}speed` });
    this.element = h(
      "div.scores",
      { role: "group", "aria-label": lane.number ? "Figures of network B" : "Figures" },
      lane.number || store.race ? h("h3.lane-mark", {}, lane.number ? "B" : "A") : null,
      h(
        "div.score.test",
        {},
        h("span.score-name", {}, h("i.line-sample", { "aria-hidden": "true" }), "Test loss"),
        this.test,
      ),
      h(
        "div.score.train",
        {},
        h("span.score-name", {}, h("i.line-sample", { "aria-hidden": "true" }), "Training loss"),
        this.train,
      ),
      h("div.score", {}, h("span.score-name", {}, this.kind), this.right, h("small", {}, "training ", this.rightTrain)),
      store.race ? h("p.lane-speed", {}, this.speed, " steps/s") : null,
      this.more,
    );
  }

  /** @param {import("./frames.js").Frame} frame */
  draw(frame) {
    say(this.test, loss(frame.testLoss));
    say(this.train, loss(frame.trainLoss));
    const regression = (this.lane.data ?? store.lanes[0].data)?.kind === "regression";
    const form = regression ? (/** @type {number} */ value) => number(value, 3) : percent;
    say(this.kind, regression ? "R²" : "Accuracy");
    say(this.right, form(frame.testScore));
    say(this.rightTrain, form(frame.trainScore));
    say(this.speed, count(frame.speed));
    const names = { mae: "mean error", rmse: "root mean square error", f1: "F1" };
    const parts = Object.entries(frame.figures ?? {}).map(
      ([name, value]) => `${/** @type {any} */ (names)[name] ?? name} ${number(value)}`,
    );
    say(this.more, parts.join(" · "));
  }
}

/** True classes in rows, predicted ones in columns. */
export class Confusion {
  constructor() {
    this.table = h("table.confusion", { testid: "confusion" });
    this.form = "";
    this.last = this.later = 0;
    /** @type {any[]} */
    this.cells = [];
    const title = h("summary", {}, "Confusion matrix");
    this.element = h("details.panel-part.confusion-part", {}, title, this.table);
    this.element.addEventListener("toggle", () => this.again());
    on("race", () => say(title, `Confusion matrix${store.race ? " of A" : ""}`));
  }

  /** Draws the present frame. */
  again() {
    const frame = store.lanes[0].frame;
    this.last = this.later = 0;
    if (frame) this.draw(frame);
  }

  /** @param {string[]} classes */
  build(classes) {
    this.form = classes.join("\n");
    this.cells = [];
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, "true ↓ said →"),
      ...classes.map((each) => h("th", { scope: "col" }, each)),
    );
    const rows = classes.map((name) => {
      const cells = classes.map(() => h("td"));
      this.cells.push(...cells);
      return h("tr", {}, h("th", { scope: "row" }, name), ...cells);
    });
    this.table.replaceChildren(
      h("caption.unseen", {}, "Test rows by their true and their predicted class"),
      h("thead", {}, head),
      h("tbody", {}, ...rows),
    );
  }

  /** @param {import("./frames.js").Frame} frame */
  draw(frame) {
    const counts = frame.confusion;
    this.element.hidden = !counts;
    if (!counts || !this.element.open) return;
    const wait = this.last + 200 - performance.now();
    if (wait > 0) {
      this.later ||= window.setTimeout(() => this.again(), wait); // it may be the last frame
      return;
    }
    this.last = performance.now();
    const classes = store.lanes[0].data?.classes ?? [];
    if (classes.length ** 2 !== counts.length) return;
    if (this.form !== classes.join("\n")) this.build(classes);
    const n = classes.length;
    for (let row = 0; row < n; row++) {
      let sum = 0;
      for (let column = 0; column < n; column++) sum += counts[row * n + column];
      for (let column = 0; column < n; column++) {
        const cell = this.cells[row * n + column];
        say(cell, String(counts[row * n + column]));
        const share = sum ? counts[row * n + column] / sum : 0;
        cell.style.backgroundColor = `color-mix(in srgb, var(${row === column ? "--accent" : "--warm"}) ${Math.round(share * 45)}%, transparent)`;
      }
    }
  }
}
