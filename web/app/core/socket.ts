/**
 * Keeps one WebSocket open for a `Protocol`: connects, passes frames both ways, notices a dead connection, reconnects.
 *
 * States, told through `onstate(state, detail)`:
 *   "connecting"    the first connection is being made
 *   "online"        authenticated; everything missed is being caught up with
 *   "reconnecting"  lost; `detail.slow` when the server asked to slow down, `detail.until` is the time of the next try
 *   "blocked"       the server does not want this user: no further try
 *   "signed-out"    the session has ended for good
 *   "stopped"       by `stop`
 */
import { SignedOut } from "./session.ts";
import { actionFor, delayFor } from "./reconnect.ts";
import type { Protocol } from "./protocol.ts";
import type { Action } from "./reconnect.ts";
import type { Effect } from "./threads.ts";

export type LinkState = "connecting" | "online" | "reconnecting" | "blocked" | "signed-out" | "stopped";

/** What `set` gave, or null: to be given to `clear`, and nothing else. */
export type Timer = unknown;

export interface Timers {
  set: (run: () => void, ms: number) => Timer;
  clear: (timer: Timer) => void;
  now: () => number;
}

export interface LinkDetail {
  slow?: boolean;
  /** ms since the epoch */
  until?: number;
}

export interface LinkParts {
  url: string;
  protocol: Protocol;
  /** an access token; other than the refused one */
  token: (refused: string | null) => Promise<string>;
  open: (url: string) => WebSocket;
  timers: Timers;
  random: () => number;
  oneffect: (effect: Effect) => void;
  onstate: (state: LinkState, detail: LinkDetail) => void;
}

const GOOD_MS = 5_000;
const OPEN_MS = 15_000;
const PROBE_MS = 25_000;
const ANSWER_MS = 10_000;

export class Link {
  readonly parts: LinkParts;
  state: LinkState = "stopped";
  /** Milliseconds of silence after which a probe is sent. */
  probeMs = PROBE_MS;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #everReady = false;
  #asked: number | null = null;
  #refusedToken: string | null = null;
  #token = "";
  #readyAt = 0;
  #heardAt = 0;
  #retryTimer: Timer = null;
  #watchTimer: Timer = null;
  #laterTimer: Timer = null;

  constructor(parts: LinkParts) {
    this.parts = parts;
  }

  start() {
    if (this.state !== "stopped") return;
    this.#become("connecting");
    this.#connect();
  }

  /** Close for good, as at log-out. */
  stop() {
    this.#halt("stopped");
  }

  /** Write the frames of the protocol. Call it after every use of the protocol. */
  flush() {
    const frames = this.parts.protocol.outgoing();
    if (this.#socket?.readyState === 1) for (const frame of frames) this.#socket.send(frame);
  }

  /** The network may be back, or the connection may have died in sleep: check now. */
  wake() {
    if (this.state === "reconnecting" && this.#retryTimer !== null) {
      this.#clear("retry");
      this.#connect();
    } else if (this.state === "online") {
      this.#probe();
    }
  }

  /** Give the open session a new access token. */
  refresh(token: string) {
    this.#token = token;
    this.parts.protocol.command({ type: "refresh", token });
    this.flush();
  }

  async #connect() {
    let token;
    try {
      token = await this.parts.token(this.#refusedToken);
    } catch (error) {
      if (error instanceof SignedOut) return this.#halt("signed-out");
      return this.#later("again");
    }
    if (!this.#trying()) return;
    this.#token = token;
    const socket = this.parts.open(this.parts.url);
    this.#socket = socket;
    socket.onopen = () => this.#guard(socket, () => this.#opened(token));
    socket.onmessage = (event) => this.#guard(socket, () => this.#received(event.data));
    socket.onclose = (event) => this.#guard(socket, () => this.#closed(event.code));
    this.#arm(OPEN_MS, () => this.#abandon());
  }

  /** Events of a socket that was given up are ignored. */
  #guard(socket: WebSocket, run: () => void) {
    if (socket === this.#socket) run();
  }

  #opened(token: string) {
    this.parts.protocol.opened(token);
    this.flush();
  }

  #received(data: unknown) {
    if (typeof data !== "string") return;
    this.#heardAt = this.parts.timers.now();
    for (const effect of this.parts.protocol.receive(data)) this.#act(effect);
    this.flush();
  }

  #act(effect: Effect) {
    if (effect.kind === "ready") this.#ready(effect);
    if (effect.kind === "closing") this.#asked = effect.retry_after_ms ?? null;
    if (effect.kind === "retry") this.#retryLater(effect.after_ms);
    this.parts.oneffect(effect);
  }

  #ready(effect: { heartbeat_s?: number }) {
    this.#readyAt = this.parts.timers.now();
    this.#refusedToken = null;
    this.#asked = null;
    this.#everReady = true;
    this.probeMs = Math.max(5_000, (effect.heartbeat_s ?? PROBE_MS / 1000) * 1000);
    this.#watch();
    this.#become("online");
  }

  #retryLater(ms: number) {
    if (this.#laterTimer !== null) return;
    this.#laterTimer = this.parts.timers.set(() => {
      this.#laterTimer = null;
      this.parts.protocol.retry();
      this.flush();
    }, ms);
  }

  /** Pages do not see pings, so after a silence a command that changes nothing is sent as a probe. */
  #watch() {
    this.#arm(this.probeMs, () => {
      if (this.parts.timers.now() - this.#heardAt >= this.probeMs) this.#probe();
      else this.#watch();
    });
  }

  #probe() {
    const asked = this.parts.timers.now();
    this.parts.protocol.probe();
    this.flush();
    this.#arm(ANSWER_MS, () => (this.#heardAt >= asked ? this.#watch() : this.#abandon()));
  }

  /** The connection is dead without a close frame. */
  #abandon() {
    const socket = this.#socket;
    this.#closed(1006);
    socket?.close();
  }

  #closed(code: number) {
    const { protocol, timers } = this.parts;
    this.#socket = null;
    this.#clear("watch");
    const wasGood = protocol.ready && timers.now() - this.#readyAt >= GOOD_MS;
    if (wasGood) this.#attempt = 0;
    protocol.lost();
    const action = actionFor(code);
    if (action === "blocked") return this.#halt("blocked");
    if (action === "renew") this.#refusedToken = this.#token;
    return this.#later(action);
  }

  #later(action: Action) {
    if (!this.#trying()) return;
    const { random, timers } = this.parts;
    const wait = action === "renew" && this.#attempt === 0 ? 0 : delayFor(this.#attempt, this.#asked, action, random);
    this.#attempt += 1;
    this.#asked = null;
    this.#become(this.#everReady || this.#attempt > 1 ? "reconnecting" : "connecting", {
      slow: action === "slow-down",
      until: timers.now() + wait,
    });
    this.#clear("retry");
    this.#retryTimer = timers.set(() => {
      this.#retryTimer = null;
      this.#connect();
    }, wait);
  }

  #halt(state: LinkState) {
    const socket = this.#socket;
    this.#socket = null;
    this.#clear("watch");
    this.#clear("retry");
    this.#clear("later");
    this.parts.protocol.lost();
    this.#become(state);
    socket?.close(1000);
  }

  #trying() {
    return ["connecting", "online", "reconnecting"].includes(this.state);
  }

  #become(state: LinkState, detail: LinkDetail = {}) {
    this.state = state;
    this.parts.onstate(state, detail);
  }

  #arm(ms: number, run: () => void) {
    this.#clear("watch");
    this.#watchTimer = this.parts.timers.set(run, ms);
  }

  #clear(which: "watch" | "retry" | "later") {
    const { timers } = this.parts;
    timers.clear(which === "watch" ? this.#watchTimer : which === "retry" ? this.#retryTimer : this.#laterTimer);
    if (which === "watch") this.#watchTimer = null;
    if (which === "retry") this.#retryTimer = null;
    if (which === "later") this.#laterTimer = null;
  }
}
