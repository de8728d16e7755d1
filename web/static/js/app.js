/**
 * The running page: connects session, REST, WebSocket and store. Views call it and watch the store.
 *
 * Signals, by `on(name, run)`: "session" (signed in or out), "link" (state of the connection), "notice" (a line for
 * the user), "arrived" (a live message of someone else), "changed" (a text was edited or withdrawn), "gone" (a
 * conversation that ended).
 */
import { ApiError } from "./api.js";
import { Directory } from "./directory.js";
import { Drafts } from "./drafts.js";
import { History } from "./history.js";
import { Messages } from "./messages.js";
import { Moderation } from "./moderation.js";
import { Protocol } from "./protocol.js";
import { SignedOut } from "./session.js";
import { Link } from "./socket.js";
import { Store } from "./store.js";

/** @typedef {import("../../types/wire.js").AnyEvent} AnyEvent */
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @typedef {import("./threads.js").Effect} Effect */
/** @typedef {"starting" | "in" | "out"} Phase */

/** `#blank`, which the constructor calls, gives the parts that belong to one user. */
const BY_BLANK = /** @type {any} */ (undefined);

const RETRY_START_MS = 3_000;
const AWAY_MS = 5 * 60_000;
/** Messages that stay in memory of a conversation that is not open. */
const KEPT = 100;

export class App {
  /** @type {Phase} */
  phase = "starting";
  /** @type {Link | null} */
  link = null;
  away = false;
  /** @type {Store} */
  store = BY_BLANK;
  /** @type {Protocol} */
  protocol = BY_BLANK;
  /** @type {History} */
  history = BY_BLANK;
  /** @type {Messages} */
  messages = BY_BLANK;
  /** @type {Directory} */
  directory = BY_BLANK;
  /** @type {Moderation} */
  moderation = BY_BLANK;
  /** The key of the conversation that is on the screen. @type {string | null} */
  openKey = null;
  #first = true;
  /** @type {Map<string, Set<(detail: any) => void>>} */
  #listeners = new Map();
  #renewTimer = null;
  #awayTimer = null;
  /** Notifications of this browser; null in a page without any. @type {import("./notifying.js").Notifying | null} */
  notifying = null;
  #startTimer = null;

  /**
   * @param {object} parts
   * @param {import("./session.js").Session} parts.session
   * @param {import("./api.js").Api} parts.api
   * @param {(path: string, body?: object) => Promise<any>} parts.publicPost a POST without a session
   * @param {(parts: Omit<import("./socket.js").LinkParts, "open" | "timers" | "random">) => Link} parts.makeLink
   * @param {(run: () => void) => void} parts.schedule when views are drawn anew after a change
   * @param {import("./socket.js").Timers} parts.timers
   * @param {import("./drafts.js").Box | null} parts.storage for what was written and not sent
   */
  constructor({ session, api, publicPost, makeLink, schedule, timers, storage }) {
    this.drafts = new Drafts(storage);
    this.session = session;
    this.api = api;
    this.publicPost = publicPost;
    this.makeLink = makeLink;
    this.schedule = schedule;
    this.timers = timers;
    api.onsignedout = () =>
      this.leave(
        this.link?.state === "blocked"
          ? "This account is blocked. Log in to read why, and until when."
          : "You were signed out. Log in again.",
      );
    session.onrenewed = (token) => {
      this.link?.refresh(token);
      this.#renewLater();
    };
    this.#blank();
  }

  #blank() {
    this.store = new Store(this.schedule, this.timers.now);
    this.protocol = new Protocol();
    this.history = new History(this.api, this.store);
    this.messages = new Messages(this);
    this.directory = new Directory(this);
    this.moderation = new Moderation(this);
    this.openKey = null;
    this.#first = true;
  }

  /** @param {string} name @param {(detail: any) => void} run @returns {() => void} ends it */
  on(name, run) {
    const runs = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, runs.add(run));
    return () => runs.delete(run);
  }

  /** @param {string} name @param {any} [detail] */
  emit(name, detail) {
    for (const run of this.#listeners.get(name) ?? []) run(detail);
  }

  /** @param {string} text @param {"info" | "error"} tone */
  notice(text, tone = "info") {
    this.emit("notice", { text, tone });
  }

  /**
   * Run something for the user, and show a notice if it fails.
   * @param {() => Promise<any>} run
   * @returns {Promise<boolean>}
   */
  async attempt(run) {
    try {
      await run();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof SignedOut)) throw error;
      if (this.phase === "in") this.notice(error.message, "error");
      return false;
    }
  }

  /** Continue the session that the browser has kept, or show the log-in. */
  async start() {
    this.timers.clear(this.#startTimer);
    if (!(await this.session.load())) return this.leave();
    this.#phase("starting");
    try {
      await this.#enter();
    } catch (error) {
      if (error instanceof SignedOut) return this.leave();
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "blocked") return this.leave(error.message);
      if (error.code === "blocked") return this.leave(error.message);
      this.emit("link", { state: "reconnecting" });
      this.#startTimer = this.timers.set(() => this.start(), RETRY_START_MS);
    }
  }

  async #enter() {
    const [config, me] = await Promise.all([this.api.get("/api/config"), this.api.get("/api/auth/me")]);
    this.store.me = { id: me.id, name: me.name, display_name: me.display_name, moderator: Boolean(me.moderator) };
    this.store.meet([me]);
    this.drafts.open(me.id);
    await this.directory.refresh();
    const { store } = this;
    this.link = this.makeLink({
      url: config.ws_url,
      protocol: this.protocol,
      token: (refused) => this.session.token(refused),
      oneffect: (effect) => this.store === store && this.#act(effect),
      onstate: (state, detail) => this.store === store && this.#linked(state, detail),
    });
    this.#phase("in");
    this.link.start();
    this.notifying?.begin(config.push_key);
    this.#renewLater();
  }

  /** @param {string} name @param {string} password */
  async logIn(name, password) {
    await this.session.begin(await this.publicPost("/api/auth/login", { name, password }));
    await this.start();
  }

  /** @param {{name: string, display_name?: string, password: string, email?: string, invite?: string}} account */
  async register(account) {
    const answer = await this.publicPost("/api/auth/register", account);
    if (!answer?.access_token) return this.logIn(account.name, account.password);
    await this.session.begin(answer);
    return this.start();
  }

  /** How many messages and changes the server does not have yet. */
  get unsent() {
    return this.protocol.outbox.commands.filter((command) => command.type !== "read").length;
  }

  async logOut() {
    this.drafts.clear();
    const ended = this.session.end();
    this.leave();
    await ended;
  }

  /** Another tab began or ended the session. @param {boolean} begun */
  async follow(begun) {
    const here = await this.session.load();
    if (!begun && !here && this.phase !== "out") this.leave("You logged out in another window.");
    if (!begun || !here) return;
    if (this.phase === "out") await this.start();
    else if (this.phase === "in" && (await this.api.get("/api/auth/me")).id !== this.store.me?.id) {
      // Another account is logged in: nothing of the one before may stay on the screen.
      this.leave();
      await this.start();
    }
  }

  /** Back to the log-in page. @param {string} [reason] */
  leave(reason) {
    this.timers.clear(this.#startTimer);
    this.timers.clear(this.#renewTimer);
    const link = this.link;
    this.link = null;
    link?.stop();
    this.messages.stop();
    this.#blank();
    this.#phase("out", reason);
  }

  /** Give a command to the protocol, and send what is due. @param {import("./outbox.js").Command} command */
  command(command) {
    this.protocol.command(command);
    this.link?.flush();
  }

  /** The page became visible or hidden. After five hidden minutes the user counts as away. @param {boolean} visible */
  seen(visible) {
    this.timers.clear(this.#awayTimer);
    if (visible) this.#status("online");
    else this.#awayTimer = this.timers.set(() => this.#status("away"), AWAY_MS);
    if (visible) this.link?.wake();
  }

  /** @param {"online" | "away"} state */
  #status(state) {
    if (this.away === (state === "away")) return;
    this.away = state === "away";
    this.protocol.status(state);
    this.link?.flush();
    if (this.link) this.emit("link", { state: this.link.state });
  }

  /** @param {Phase} phase @param {string} [reason] */
  #phase(phase, reason) {
    this.phase = phase;
    this.emit("session", { phase, reason });
  }

  #renewLater() {
    this.timers.clear(this.#renewTimer);
    const wait = this.session.renewIn();
    if (wait !== null)
      this.#renewTimer = this.timers.set(() => this.session.token().catch(() => this.#renewFailed()), wait + 500);
  }

  /** Without a connection, the next request renews the token; with one, the edge closes it with 4001 in time. */
  #renewFailed() {
    if (this.session.tokens) this.#renewTimer = this.timers.set(() => this.#renewLater(), RETRY_START_MS);
    else this.leave("You were signed out. Log in again.");
  }

  /** @param {string} state @param {any} [detail] */
  #linked(state, detail) {
    if (state === "signed-out") return this.leave("You were signed out. Log in again.");
    if (state === "blocked") this.#explainBlock();
    this.emit("link", { state, ...detail });
  }

  /** The edge closes without a reason. REST has it; or else the log-in has ended, and a new one is told. */
  async #explainBlock() {
    const { store } = this;
    try {
      await this.api.get("/api/auth/me");
    } catch (error) {
      if (this.store === store && error instanceof ApiError && error.code === "blocked")
        this.leave(error.message);
    }
  }

  /** @param {Effect} effect */
  #act(effect) {
    if (effect.kind === "event") this.#event(effect.event);
    if (effect.kind === "ready") this.#ready();
    if (effect.kind === "reload") this.#reload(effect);
    if (effect.kind === "answered") this.messages.answered(effect.command);
    if (effect.kind === "refused") this.messages.refused(effect);
  }

  /** After a reconnect, edits and reactions may have been missed, and new conversations begun. */
  #ready() {
    if (this.#first) {
      this.#first = false;
      return;
    }
    for (const conversation of this.store.conversations.values()) {
      conversation.stale = true;
      conversation.timeline.forgetQuotes();
      this.store.touch(`pins:${conversation.key}`);
    }
    const open = this.openKey && this.store.get(this.openKey);
    if (open) this.history.refresh(open).catch(() => {});
    this.directory.refresh().catch(() => {});
  }

  /**
   * Too much was missed: the newest page of history replaces the messages in memory.
   * @param {{seq: number} & import("../../types/wire.js").Place} effect
   */
  #reload(effect) {
    const conversation = this.store.placeOf(effect);
    if (!conversation) return;
    conversation.missed(effect.seq);
    conversation.timeline.reset();
    conversation.timeline.forgetQuotes();
    this.store.touch(`timeline:${conversation.key}`);
    if (conversation.key === this.openKey) this.attempt(() => this.history.latest(conversation));
    this.directory.refresh().catch(() => {});
  }

  /** @param {AnyEvent} event */
  #event(event) {
    const place = this.store.placeOf(event);
    this.store.apply(event);
    // The open conversation gives back what is out of view; any other one keeps its newest.
    if (place && place.key !== this.openKey) place.timeline.trim(KEPT);
    if (event.type === "member") this.directory.member(event);
    if (event.type === "room") this.directory.room(event);
    if (event.type === "edited" || event.type === "deleted" || event.type === "moderated") this.emit("changed", event);
    if (event.type === "refused") this.moderation.refused(event, place);
    if (event.type === "stored" && place) this.#look(place, event.seq);
    const sender = event.type === "message" ? event.sender : event.type === "dm" ? event.from : null;
    if (place && sender && sender.id !== this.store.me?.id) this.emit("arrived", { conversation: place, event });
    if (event.type === "dm") this.directory.watchSoon();
    if (event.type === "activity" && event.rooms.some(({ missed }) => missed)) this.directory.refreshLater();
  }

  /**
   * A direct message was stored, but its live copy never came: read the newest page, which has it.
   * @param {Conversation} conversation
   * @param {number} seq
   */
  #look(conversation, seq) {
    const { loaded, attached } = conversation.timeline;
    if (loaded && attached && !conversation.timeline.at(seq)) this.history.latest(conversation).catch(() => {});
  }
}
