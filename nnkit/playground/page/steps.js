/** What a step of the plan does, in words, and which layer of the network it belongs to. */

export const PHASES = {
  forward: { name: "Forward", what: "Values flow from the data through the layers to the loss." },
  backward: { name: "Backward", what: "The slope of the loss flows back, layer by layer: the chain rule." },
  recompute: { name: "Recompute", what: "Values that were dropped to save memory are computed again." },
  update: { name: "Update", what: "The optimiser moves every parameter a little against its gradient." },
};

/** The decisions of the planner, by name. @type {Record<string, string>} */
export const DECISIONS = {
  drop_unused: "Leave out what nobody needs",
  merge_common: "Compute equal things once",
  simplify: "Remove arithmetic without effect",
  factor_sums: "Sum before multiplying",
  fold_transposes: "Read matrices turned, without a copy",
  round_products: "Choose the precision of products",
  fuse: "Join passes over the same values",
  tile: "Work in tiles that fit the cache",
  join_gradients: "Write gradients where they are needed",
  in_place: "Overwrite what is no longer used",
  share: "Share the work among threads",
  reuse_memory: "Use memory again",
  recompute: "Keep or compute again",
};

/** @param {string} name */
export const decisionName = (name) =>
  DECISIONS[name] ?? name.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());

/**
 * A row of the time line for each step: 0 is the batch, then the layers from 1, then the loss, then the update.
 * @param {any[]} steps
 * @param {any} state
 */
export function rowsOf(steps, state) {
  const paths = (state?.layers ?? [])
    .slice(1)
    .map((/** @type {any} */ layer) => layer.weight.slice(0, layer.weight.lastIndexOf(".")));
  const layers = paths.length;
  const order = (/** @type {string} */ path) => Number(/(\d+)/.exec(path)?.[1] ?? -1);
  return steps.map((step) => {
    const path = String(step.layer ?? "");
    const exact = paths.findIndex((/** @type {any} */ each) => path === each || path.startsWith(`${each}.`));
    if (exact >= 0) return exact + 1;
    if (/^layers\.\d/.test(path))
      return (
        1 +
        Math.max(
          0,
          paths.findLastIndex((/** @type {any} */ each) => order(each) <= order(path)),
        )
      );
    if (path === "loss") return layers + 1;
    if (path === "metrics" || step.phase === "update") return layers + 2;
    return path === "" ? 0 : layers + 1;
  });
}

/**
 * One short sentence, or nothing where the step is of no known kind.
 * @param {any} step
 */
export function inWords(step) {
  const { phase, what } = step;
  const layer = String(step.layer ?? "");
  const activation = layer.endsWith(".activation");
  const product = what.includes(" @ ");
  if (phase === "recompute") return "Computed again instead of kept.";
  if (layer === "metrics") return "Figures of the run.";
  if (layer === "loss")
    return phase === "backward"
      ? "Slope of the loss at the outputs: here the way back begins."
      : "How far the outputs are from the targets.";
  if (phase === "update") return "Changes the parameters, or guards that their numbers are sound.";
  if (layer === "") return "Takes the next rows of the data.";
  if (phase === "forward" && product) return "Weighted sums: values times weights.";
  if (phase === "forward" && activation)
    return what.startsWith("add")
      ? "Adds the bias and applies the activation, in one pass."
      : "Applies the activation.";
  if (phase === "backward" && product)
    return /^\(.*ᵀ @/.test(what) ? "Gradient of the weights." : "Sends the gradient back to the layer before.";
  if (phase === "backward" && activation) return "Gradient through the activation: times its slope.";
  if (phase === "backward" && /(^|→ )sum/.test(what)) return "Gradient of the biases: the sum over the batch.";
  return "";
}
