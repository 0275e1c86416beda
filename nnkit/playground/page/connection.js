/** The WebSocket: requests with answers, and a new connection when one is lost. */

import { read, upload } from "./frames.js";
import { unpressed } from "./press.js";

const FIRST_WAIT = 400;
const LONGEST_WAIT = 5000;

export class Connection {
  /**
   * @param {object} act
   * @param {() => object} act.greeting what `hello` says besides the session
   * @param {(answer: any) => void} act.greeted
   * @param {(event: any) => void} act.event
   * @param {(frame: import("./frames.js").Frame) => void} act.frame
   * @param {(open: boolean) => void} act.status
   * @param {(why: string) => void} act.refused
   */
  constructor(act) {
    this.act = act;
    this.session = /** @type {string | null} */ (null);
    this.open = false;
    this.next = 1;
    this.wait = FIRST_WAIT;
    /** @type {Map<number, {resolve: (answer: any) => void, reject: (reason: Error) => void}>} */
    this.asked = new Map();
    this.timer = 0;
    this.arrived = unpressed(
      (/** @type {string | ArrayBuffer} */ data) => this.take(data),
      (data) => typeof data !== "string", // frames rebuild nothing
    );
    this.connect();
    window.addEventListener("online", () => this.retry());
  }

  connect() {
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`;
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.addEventListener("open", () => this.greet());
    socket.addEventListener("message", (message) => socket === this.socket && this.arrived(message.data));
    socket.addEventListener("close", () => this.lost(socket));
  }

  retry() {
    const state = this.socket?.readyState;
    if (state === WebSocket.CONNECTING || state === WebSocket.OPEN) return;
    clearTimeout(this.timer);
    this.connect();
  }

  async greet() {
    try {
      const answer = await this.ask({ do: "hello", session: this.session, ...this.act.greeting() });
      this.session = answer.session;
      this.open = true;
      this.wait = FIRST_WAIT;
      this.act.status(true);
      this.act.greeted(answer);
    } catch (error) {
      if (this.socket?.readyState === WebSocket.OPEN) this.act.refused(/** @type {Error} */ (error).message);
      this.socket?.close();
    }
  }

  /** @param {WebSocket} socket */
  lost(socket) {
    if (socket !== this.socket) return;
    this.open = false;
    for (const { reject } of this.asked.values()) reject(new Error("The connection was lost."));
    this.asked.clear();
    this.act.status(false);
    this.timer = window.setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(LONGEST_WAIT, this.wait * 1.7);
  }

  /** @param {string | ArrayBuffer} data */
  take(data) {
    if (typeof data !== "string") {
      const found = read(data);
      if (found?.kind === "frame") this.act.frame(found);
      else if (found) this.answered(found.head.re, found);
      return;
    }
    const message = JSON.parse(data);
    if ("re" in message) this.answered(message.re, message);
    else this.act.event(message);
  }

  /** @param {number} id @param {any} answer */
  answered(id, answer) {
    const waiting = this.asked.get(id);
    if (!waiting) return;
    this.asked.delete(id);
    if (answer.error) waiting.reject(new Error(answer.error));
    else waiting.resolve(answer);
  }

  /**
   * Sends a message, without an answer.
   * @param {object} message
   */
  tell(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /**
   * Sends a message; its answer, or an error in a sentence.
   * @param {object} message
   * @returns {Promise<any>}
   */
  ask(message) {
    const id = this.next++;
    return this.waiting(id, () => this.socket?.send(JSON.stringify({ ...message, id })));
  }

  /**
   * Sends a file.
   * @param {object} head
   * @param {ArrayBuffer} content
   */
  send(head, content) {
    const id = this.next++;
    return this.waiting(id, () => this.socket?.send(upload({ ...head, id }, content)));
  }

  /** @param {number} id @param {() => void} act @returns {Promise<any>} */
  waiting(id, act) {
    return new Promise((resolve, reject) => {
      if (this.socket?.readyState !== WebSocket.OPEN) {
        reject(new Error("There is no connection to nnkit now."));
        return;
      }
      this.asked.set(id, { resolve, reject });
      act();
    });
  }
}
