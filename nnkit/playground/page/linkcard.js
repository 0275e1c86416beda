/** A card for the link under the pointer: its weight and gradient; a click keeps it, to edit the weight. */

import { h, say } from "./dom.js";
import { number } from "./format.js";
import { arrows } from "./inspector.js";

export class LinkCard {
  /** @param {import("./network.js").NetworkView} view */
  constructor(view) {
    this.view = view;
    /** @type {import("./links.js").Link | null} */
    this.link = null;
    this.pinned = false;
    this.name = h("p.link-name");
    this.value = h("strong");
    this.gradient = h("span");
    this.input = h("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      testid: `${view.prefix}link-weight`,
      "aria-label": "Weight of this link",
      onkeydown: (/** @type {KeyboardEvent} */ event) => arrows(event),
      onchange: () => this.edit(),
    });
    this.hint = h("p.hint", {}, "click to edit");
    this.element = h(
      "div.link-card",
      { testid: `${view.prefix}link-card` },
      this.name,
      h(
        "dl",
        {},
        h("dt", {}, "weight"),
        h("dd", {}, this.value, this.input),
        h("dt", {}, "gradient"),
        h("dd", {}, this.gradient),
      ),
      this.hint,
    );
    this.element.hidden = true;
    document.body.append(this.element);
    this.away = (/** @type {Event} */ event) => {
      if (!(event instanceof KeyboardEvent) || event.key === "Escape") this.close();
    };
    window.addEventListener("keydown", this.away);
    window.addEventListener("scroll", this.away, { passive: true });
    window.addEventListener("hashchange", this.away);
  }

  remove() {
    this.close();
    this.element.remove();
    for (const name of ["keydown", "scroll", "hashchange"]) window.removeEventListener(name, this.away);
  }

  /** @param {import("./links.js").Link | null} link @param {PointerEvent} event */
  hover(link, event) {
    if (this.pinned) return;
    const other = this.link?.index !== link?.index;
    this.link = link;
    this.element.hidden = !link;
    if (link) this.place(event);
    if (other) {
      this.view.redraw();
      this.draw();
    }
  }

  leave() {
    if (!this.pinned && this.link) this.close();
  }

  /** @param {import("./links.js").Link} link @param {PointerEvent} event */
  pin(link, event) {
    this.link = link;
    this.pinned = true;
    this.element.hidden = false;
    this.element.classList.add("pinned");
    this.place(event);
    this.draw();
    this.view.redraw();
    this.input.value = number(this.weight, 4);
    this.input.focus();
    this.input.select();
  }

  close() {
    if (!this.link && !this.pinned) return;
    this.link = null;
    this.pinned = false;
    this.element.hidden = true;
    this.element.classList.remove("pinned");
    this.view.redraw();
  }

  get weight() {
    return this.link ? (this.view.lane.frame?.parameters?.[this.link.index] ?? NaN) : NaN;
  }

  edit() {
    if (!this.link) return;
    const path = this.view.lane.state.layers[this.link.layer].weight;
    this.view.edit(path, [this.link.from, this.link.to], this.input.value, this.input);
  }

  /** @param {PointerEvent} event */
  place(event) {
    const [width, height] = [this.element.offsetWidth || 180, this.element.offsetHeight || 90];
    const left = Math.min(window.innerWidth - width - 8, event.clientX + 14);
    const top = event.clientY + 14 + height > window.innerHeight ? event.clientY - height - 14 : event.clientY + 14;
    this.element.style.left = `${Math.max(8, left)}px`;
    this.element.style.top = `${Math.max(8, top)}px`;
  }

  draw() {
    if (!this.link) return;
    const { layer, from, to } = this.link;
    say(
      this.name,
      `${this.view.inspector.sources(layer)[from]?.replace("from ", "") ?? ""} → ${this.view.neuronName(layer, to).replace(/^N/, "n").replace(/^O/, "o")}`,
    );
    say(this.value, number(this.weight));
    say(this.gradient, number(this.view.lane.frame?.gradients?.[this.link.index] ?? NaN));
    if (this.pinned && document.activeElement !== this.input) this.input.value = number(this.weight, 4);
  }
}
