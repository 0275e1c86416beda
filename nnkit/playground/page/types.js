/** What the server says, as docs/PLAYGROUND.md has it. */

/** @typedef {Record<string, any> & {tab: string, data: string, features: string[], hidden: number[], activations: string[], output: string, seed: number, classes: number}} Settings */

/** @typedef {{name: string, size: number, activation: string | null, weight: string, bias: string}} Layer */

/** @typedef {{path: string, shape: number[], start: number}} Parameter */

/**
 * @typedef {object} State
 * @property {Settings} settings
 * @property {Layer[]} layers from the inputs to the outputs
 * @property {Parameter[]} parameters
 * @property {number} outputs
 * @property {number} grid
 * @property {number} maps
 * @property {[number, number | null, number | null][]} curve
 * @property {boolean} running
 */

/**
 * @typedef {object} Data
 * @property {"classification" | "regression"} kind
 * @property {{x: number[], y: number[], label: number[], test: boolean[]}} points
 * @property {any} range
 * @property {string[]} axes
 * @property {string[]} classes
 * @property {Feature[]} features
 * @property {string} summary
 * @property {string[] | null} columns
 * @property {string[]} [targets]
 * @property {string} [target]
 * @property {number} [size]
 */

/** @typedef {{name: string, label: string, map: string}} Feature */

/** @typedef {{kernels: number, flops: number, nbytes: number, arena_bytes: number, seconds: number}} Cost */

/** @typedef {{number: number, phase: string, layer: string, what: string, shape: string, flops: number, bytes: number, seconds: number, where?: string}} Step */

/** @typedef {{name: string, meaning: string, remark: string, saved: Record<string, number>}} Decision */

/** @typedef {{heading: string, total: Cost, naive: Cost, steps: Step[], decisions: Decision[]}} Plan */

/** @typedef {{value: string, label: string, rate?: number | null, momentum?: boolean}} Choice */

export {};
