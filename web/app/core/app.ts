/**
 * The running page: connects session, REST, WebSocket and store. Views call it and watch the store.
 *
 * Signals, by `on(name, run)`: "session" (signed in or out), "link" (state of the connection), "notice" (a line for
 * the user), "arrived" (a live message of someone else), "event" (any of the edge, once the store has it), "gone" (a
 * conversation that ended), "shared" (what another device may have saved).
 */
import { say } from "../texts.ts";
import { ApiError } from "./api.ts";
import { Choices } from "./choices.ts";
import { Directory } from "./directory.ts";
import { enterAccount, knowAccount, readAhead, renewAccount } from "./entering.ts";
import { History } from "./history.ts";
import { Messages } from "./messages.ts";
import { Moderation } from "./moderation.ts";
import { Protocol } from "./protocol.ts";
import { SignedOut } from "./session.ts";
import { Sharing } from "./sharing.ts";
import { Store } from "./store.ts";
import { CORE } from "./texts.ts";
import type { AnyEvent, Place } from "../../types/wire.d.ts";
import type { Api } from "./api.ts";
import type { Conversation } from "./conversation.ts";
import type { Drafts } from "./drafts.ts";
import type { Keeping } from "./keeping.ts";
import type { LastSeen, SeenAccount } from "./lastSeen.ts";
import type { Notifying } from "./notifying.ts";
import type { Command } from "./outbox.ts";
import type { AppParts, MakeLink, PublicPost } from "./parts.ts";
import type { Session } from "./session.ts";
import type { Phase, Signals, Tone } from "./signals.ts";
import type { Link, LinkDetail, LinkState, Timer, Timers } from "./socket.ts";
import type { Effect } from "./threads.ts";
import type { Grant, Me } from "./rest.ts";

export type { AppParts, PublicPost } from "./parts.ts";
export type { Phase, Signals, Tone } from "./signals.ts";

/** `#blank`, which the constructor calls, gives the parts that belong to one user. */
const BY_BLANK = undefined as never;

const RETRY_START_MS = 3_000;
const AWAY_MS = 5 * 60_000;
const LONGEST_FORGETTING_MS = 1_000;
/** Messages that stay in memory of a conversation that is not open. */
const KEPT = 100;

export class App {
  readonly drafts: Drafts;
  readonly choices: Choices;
  readonly keeping: Keeping;
  /** What is shown without a connection; null in a page that keeps nothing. */
  readonly lastSeen: LastSeen | null;
  readonly session: Session;
  readonly api: Api;
  readonly publicPost: PublicPost;
  readonly makeLink: MakeLink;
  readonly schedule: (run: () => void) => void;
  readonly timers: Timers;
  phase: Phase = "starting";
  link: Link | null = null;
  away = false;
  store: Store = BY_BLANK;
  protocol: Protocol = BY_BLANK;
  history: History = BY_BLANK;
  messages: Messages = BY_BLANK;
  directory: Directory = BY_BLANK;
  moderation: Moderation = BY_BLANK;
  /** The key of the conversation that is on the screen. */
  openKey: string | null = null;
  readonly hash: () => string;
  #first = true;
  /** What is known of the user and the instance is what was seen last. */
  #isAccountOld = false;
  #listeners = new Map<keyof Signals, Set<(detail: never) => void>>();
  #renewTimer: Timer = null;
  #awayTimer: Timer = null;
  /** Notifications of this browser; null in a page without any. */
  notifying: Notifying | null = null;
  sharing: Sharing | null = null;
  #startTimer: Timer = null;

  constructor(parts: AppParts) {
    const { session, api, drafts, keeping } = parts;
    this.lastSeen = parts.lastSeen ?? null;
    this.choices = new Choices(parts.storage);
    this.drafts = drafts;
    drafts.onchanged = () => this.store.touch("drafts");
    this.keeping = keeping;
    this.session = session;
    this.api = api;
    this.publicPost = parts.publicPost;
    this.makeLink = parts.makeLink;
    this.schedule = parts.schedule;
    this.timers = parts.timers;
    this.hash = parts.hash ?? (() => "");
    // Of several calls, the first tells why: after it the log-in page stays as it is, with what is typed there.
    api.onsignedout = () =>
      this.phase !== "out" && this.leave(say(CORE, this.link?.state === "blocked" ? "blockedLogIn" : "signedOut"));
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
    this.history.onread = (conversation) => this.lastSeen?.keepSoon(conversation);
    this.messages = new Messages(this);
    this.directory = new Directory(this);
    this.moderation = new Moderation(this);
    this.openKey = null;
    this.#first = true;
    this.#isAccountOld = false;
  }

  /** @returns ends it */
  on<K extends keyof Signals>(name: K, run: (detail: Signals[K]) => void): () => void {
    const runs = this.#listeners.get(name) ?? new Set<(detail: never) => void>();
    this.#listeners.set(name, runs.add(run));
    return () => runs.delete(run);
  }

  emit<K extends keyof Signals>(name: K, detail: Signals[K]) {
    for (const run of this.#listeners.get(name) ?? []) (run as (detail: Signals[K]) => void)(detail);
  }

  notice(text: string, tone: Tone = "info") {
    this.emit("notice", { text, tone });
  }

  /** Run something for the user, and show a notice if it fails. */
  async attempt(run: () => Promise<unknown>): Promise<boolean> {
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
      if (error instanceof SignedOut) return; // `onsignedout` has told why
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "blocked") return this.leave(error.message);
      this.emit("link", { state: "reconnecting" });
      if (error.status === 0 && (await this.#enterSeen())) return;
      this.#startTimer = this.timers.set(() => this.start(), RETRY_START_MS);
    }
  }

  async #enter() {
    const account = await enterAccount(this);
    await Promise.all([this.drafts.open(account.me.id), this.directory.refresh()]);
    readAhead(this);
    await this.#begin(account);
  }

  /** The server is not reached: begin with what was seen last, until it is. @returns false if nothing was kept */
  async #enterSeen(): Promise<boolean> {
    const seen = await this.lastSeen?.load();
    if (!seen) return false;
    const { account, lists, messages } = seen;
    knowAccount(this, account);
    await Promise.all([this.drafts.open(account.me.id), this.lastSeen?.open(account)]);
    this.directory.show(lists.rooms, lists.dms);
    for (const [key, entries] of messages) {
      const timeline = this.store.get(key)?.timeline;
      timeline?.page(entries, timeline.mark());
    }
    this.#first = false; // all of it may have changed
    this.#isAccountOld = true;
    await this.#begin(account);
    return true;
  }

  /** Connect, and show the chat. */
  async #begin({ config, me }: SeenAccount) {
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
    this.sharing = new Sharing(this);
    this.#renewLater();
    await this.keeping.open(me.id, (message) => this.store === store && this.messages.adopt(message));
  }

  async logIn(name: string, password: string) {
    await this.session.begin(await this.publicPost<Grant>("/api/auth/login", { name, password }));
    await this.start();
  }

  async register(account: { name: string; display_name?: string; password: string; email?: string; invite?: string }) {
    const answer = await this.publicPost<Partial<Grant> | null>("/api/auth/register", account);
    if (!answer?.access_token) return this.logIn(account.name, account.password);
    await this.session.begin(answer as Grant);
    return this.start();
  }

  /** How many messages and changes the server does not have yet. */
  get unsent() {
    return this.protocol.outbox.commands.filter((command) => command.type !== "read").length;
  }

  /** How many of them a closed window loses. */
  get losable() {
    if (!this.keeping.durable) return this.unsent;
    return this.protocol.outbox.commands.filter(({ type }) => !["read", "send", "dm"].includes(type)).length;
  }

  async logOut() {
    await this.forgetTexts();
    const ended = this.session.end();
    if (this.phase !== "out") this.leave();
    await ended;
  }

  /** No text stays in this browser, also if its window is closed after that. A browser that hangs is not waited for. */
  forgetTexts() {
    const cleared = Promise.all([this.drafts.clear(), this.keeping.clear(), this.lastSeen?.clear()]);
    return new Promise((resolve) => {
      const timer = this.timers.set(() => resolve(false), LONGEST_FORGETTING_MS);
      void cleared.then(resolve).finally(() => this.timers.clear(timer));
    });
  }

  /** Another tab began or ended the session. */
  async follow(begun: boolean) {
    const here = await this.session.load();
    if (!begun && !here && this.phase !== "out") this.leave(say(CORE, "outElsewhere"));
    if (!begun || !here) return;
    if (this.phase === "out") await this.start();
    else if (this.phase === "in" && (await this.api.get<Me>("/api/auth/me")).id !== this.store.me?.id) {
      // Another account is logged in: nothing of the one before may stay on the screen.
      this.leave();
      await this.start();
    }
  }

  /** Back to the log-in page. */
  leave(reason?: string) {
    this.timers.clear(this.#startTimer);
    this.timers.clear(this.#renewTimer);
    const link = this.link;
    this.link = null;
    link?.stop();
    this.messages.stop();
    this.keeping.stop();
    this.sharing?.stop();
    void this.lastSeen?.clear();
    this.#blank();
    this.#phase("out", reason);
  }

  /** Give a command to the protocol, and send what is due. */
  command(command: Command) {
    this.protocol.command(command);
    this.link?.flush();
  }

  /** The page became visible or hidden. After five hidden minutes the user counts as away. */
  seen(visible: boolean) {
    this.timers.clear(this.#awayTimer);
    if (visible) this.#status("online");
    else this.#awayTimer = this.timers.set(() => this.#status("away"), AWAY_MS);
    if (!visible) return;
    this.link?.wake();
    if (this.phase === "in") this.sharing?.readAgain();
  }

  #status(state: "online" | "away") {
    if (this.away === (state === "away")) return;
    this.away = state === "away";
    this.protocol.status(state);
    this.link?.flush();
    if (this.link) this.emit("link", { state: this.link.state });
  }

  #phase(phase: Phase, reason?: string) {
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
    else this.leave(say(CORE, "signedOut"));
  }

  #linked(state: LinkState, detail: LinkDetail) {
    if (state === "signed-out") return this.leave(say(CORE, "signedOut"));
    if (state === "blocked") this.#explainBlock();
    this.emit("link", { state, ...detail });
  }

  /** The edge closes without a reason. REST has it; or else the log-in has ended, and a new one is told. */
  async #explainBlock() {
    const { store } = this;
    try {
      await this.api.get("/api/auth/me");
    } catch (error) {
      if (this.store === store && error instanceof ApiError && error.code === "blocked") this.leave(error.message);
    }
  }

  #act(effect: Effect) {
    if (effect.kind === "event") this.#event(effect.event);
    if (effect.kind === "ready") this.#ready();
    if (effect.kind === "reload") this.#reload(effect);
    if (effect.kind === "answered") this.messages.answered(effect.command);
    if (effect.kind === "refused") this.messages.refused(effect);
  }

  /** After a reconnect, edits and reactions may have been missed, new conversations begun, and the instance renamed. */
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
    void renewAccount(this, this.#isAccountOld).then(() => (this.#isAccountOld = false), () => {});
  }

  /** Too much was missed: the newest page of history replaces the messages in memory. */
  #reload(effect: { seq: number } & Place) {
    const conversation = this.store.placeOf(effect);
    if (!conversation) return;
    conversation.missed(effect.seq);
    conversation.timeline.reset();
    conversation.timeline.forgetQuotes();
    this.store.touch(`timeline:${conversation.key}`);
    if (conversation.key === this.openKey) this.attempt(() => this.history.latest(conversation));
    this.directory.refresh().catch(() => {});
  }

  #event(event: AnyEvent) {
    const place = this.store.placeOf(event);
    this.store.apply(event);
    if (place) this.#remember(place, event);
    // The open conversation gives back what is out of view; any other one keeps its newest.
    if (place && place.key !== this.openKey) place.timeline.trim(KEPT);
    if (event.type === "member") this.directory.member(event);
    if (event.type === "room") this.directory.room(event);
    if (event.type === "refused") this.moderation.refused(event, place);
    if (event.type === "stored" && place) this.#look(place, event.seq);
    if (place && (event.type === "message" || event.type === "dm")) {
      const sender = event.type === "dm" ? event.from : event.sender;
      if (sender.id !== this.store.me?.id) this.emit("arrived", { conversation: place, event });
    }
    if (event.type === "dm") this.directory.watchSoon();
    if (event.type === "activity" && event.rooms.some(({ missed }) => missed)) this.directory.refreshLater();
    this.emit("event", event);
  }

  /** What is kept of a conversation changes with what is shown of it. */
  #remember(place: Conversation, event: AnyEvent) {
    if (event.type === "edited") this.lastSeen?.rewrite(place.key, event.seq, event.text);
    if (event.type === "deleted" || event.type === "moderated") this.lastSeen?.rewrite(place.key, event.seq, null);
    if (place.key === this.openKey) this.lastSeen?.keepSoon(place);
  }

  /** A direct message was stored, but its live copy never came: read the newest page, which has it. */
  #look(conversation: Conversation, seq: number) {
    const { loaded, attached } = conversation.timeline;
    if (loaded && attached && !conversation.timeline.at(seq)) this.history.latest(conversation).catch(() => {});
  }
}
