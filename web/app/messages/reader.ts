/**
 * What is on the screen of a conversation: which messages, at which place, and what of them counts as read.
 *
 * Rule 1: it stays at the newest message while the user is there. Who scrolls away is left there.
 * Rule 2: else it keeps the message that the user reads where it is, whatever changes above or below. The virtual list
 *   does it, if it is told of one change at a time (`planSteps`).
 * Rule 3: what the user has seen counts as read: all at the newest message, else up to the last message in view.
 * Rule 4: messages far out of view are given back, so that a conversation of any length takes little memory. They are
 *   farther away than the distance at which the next page is loaded: what is given back is not asked for at once.
 * Rule 5: while a place is being found, nothing is loaded and nothing counts as read.
 * Rule 6: while something in the list is held down, nothing in it moves: the click would miss what was pressed.
 * Rule 7: while the user keeps it as unread (`UnreadLine`), nothing counts as read.
 */
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import { UnreadLine } from "../core/unread.ts";
import { listItems, NOTHING, planSteps, type Item, type Shown, type Step } from "./items.ts";
import { attemptQuietly } from "./attemptQuietly.ts";
import { bring, lastInView, type Place } from "./place.ts";
import type { Viewport } from "./viewport.ts";

const NEAR_BOTTOM = 60;
const LOAD_AT = 400;
const LINE_AT = 60;
const FLASH_MS = 1600;
/** More messages than this are too many; then those farther away than `FAR` pixels go, until `KEPT` are left. */
const MOST = 260;
const KEPT = 160;
const FAR = 3 * LOAD_AT;

export class Reader {
  shown: Shown = NOTHING;
  /** Whether it has shown any message. */
  filled = false;
  readonly line = new UnreadLine();
  #steps: Step[] = [];
  #watchers = new Set<() => void>();
  #committed: (() => void)[] = [];
  #viewport: Viewport | null = null;
  #bottom = true;
  #offset = 0;
  #placing = 0;
  /** "late": the timeline has changed since. */
  #held: "no" | "yes" | "late" = "no";
  #asked = 0;
  /** The generation of the timeline that was looked at last. */
  #generation: number;
  #version = 0;
  #ended = false;

  readonly app: App;
  readonly conversation: Conversation;
  readonly visible: () => boolean;

  constructor(app: App, conversation: Conversation, visible = () => document.visibilityState === "visible") {
    this.app = app;
    this.conversation = conversation;
    this.visible = visible;
    this.#generation = conversation.timeline.generation;
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (run: () => void): (() => void) => {
    this.#watchers.add(run);
    return () => this.#watchers.delete(run);
  };

  attach(viewport: Viewport | null): void {
    this.#viewport = viewport;
  }

  /** Follow the store until the function that is returned is called. */
  follow(): () => void {
    const { store } = this.app;
    const { key } = this.conversation;
    const ends = [
      store.watch(`timeline:${key}`, () => this.update()),
      ...[`members:${key}`, "people"].map((topic) => store.watch(topic, () => this.#redraw())),
      this.app.on("link", ({ state }) => state === "online" && this.#reconnected()),
    ];
    this.#ended = false;
    return () => {
      this.#ended = true;
      for (const end of ends) end();
      this.#resolve();
    };
  }

  /** Show the conversation at a message, at the first unread one, or at the end. */
  async begin(seq: number | null): Promise<void> {
    const { conversation, app, line } = this;
    line.enter(conversation);
    // What is unread was not seen before the place is found where it begins.
    this.#bottom = line.after === null;
    this.update();
    if (seq !== null) return this.jump(seq);
    await this.#place(async (goesOn) => {
      if (this.#bottom) await this.#updated();
      if (this.#bottom) this.#viewport?.toEnd(); // of what is here already, while the rest is on its way
      await app.attempt(() => app.history.open(conversation));
      await this.#updated();
      if (goesOn()) this.#bottom = !(await this.#showLine(goesOn));
    });
  }

  /** Show one message, and where it stands. @returns whether it is there */
  async jump(seq: number): Promise<void> {
    const { conversation, app } = this;
    await this.#place(async (goesOn) => {
      if (!conversation.timeline.at(seq) && !(await app.attempt(() => app.history.around(conversation, seq)))) return;
      this.#bottom = false;
      await this.#updated();
      const item = this.shown.items.find(({ entry }) => entry.seq === seq);
      if (!item) return this.onMissing();
      await this.#bring({ key: item.key, align: "center", offset: 0 }, goesOn);
      this.#set({ flash: item.key });
      this.app.timers.set(() => this.shown.flash === item.key && this.#set({ flash: null }), FLASH_MS);
    });
  }

  /** Show the first message since a time in milliseconds, or the newest. @returns its key, or null if there is none */
  async toDay(since: number): Promise<string | null> {
    const { conversation, app } = this;
    let key: string | null = null;
    await this.#place(async (goesOn) => {
      let seq: number | null = null;
      if (!(await app.attempt(async () => (seq = await app.history.since(conversation, since))))) return;
      this.#bottom = false;
      await this.#updated();
      key = (seq !== null && conversation.timeline.at(seq)?.key) || null;
      if (key !== null) await this.#bring({ key, align: "start", offset: 0 }, goesOn);
    });
    return key;
  }

  /** What is done when a message that was asked for is not there. */
  onMissing: () => void = () => {};

  /** Go to the newest message. */
  async toLatest(): Promise<void> {
    this.line.skip();
    this.#bottom = true;
    await this.#place(async (goesOn) => {
      if (!this.conversation.timeline.attached) await this.app.messages.latest(this.conversation);
      await this.#updated();
      if (!goesOn()) return;
      this.#bottom = true;
      this.#viewport?.toEnd();
      await this.#viewport?.settle();
    });
  }

  /** Go back to where what was unread begins. */
  async toUnread(): Promise<void> {
    const { conversation, app } = this;
    const after = this.line.after ?? 0;
    this.#bottom = false;
    await this.#place(async (goesOn) => {
      const here = (conversation.timeline.span?.first ?? Infinity) <= after + 1;
      if (!here && !(await app.attempt(() => app.history.unread(conversation, after)))) return;
      await this.#updated();
      await this.#showLine(goesOn);
    });
  }

  #redraw(): void {
    this.#version += 1;
    this.update();
  }

  /** Rule 6, until `release`. */
  hold(): void {
    if (this.#held === "no") this.#held = "yes";
  }

  release(): void {
    const held = this.#held;
    this.#held = "no";
    if (held === "no" || this.#ended) return;
    this.scrolled();
    if (held === "late") this.update();
    else if (!this.#placing) this.#followEnd();
  }

  /** The newest message is not followed any more: what is read now gets longer. */
  stay(): void {
    this.#bottom = false;
  }

  /** Look at the timeline again. */
  update(): void {
    if (this.#held !== "no") return void (this.#held = "late");
    const { conversation, line } = this;
    const { timeline } = conversation;
    // After a reset, what is unread was never on the screen, though the newest message is.
    if (timeline.generation !== this.#generation) line.follow(conversation);
    this.#generation = timeline.generation;
    this.#seeEnd();
    line.follow(conversation);
    const entries = timeline.attached ? timeline.entries : timeline.entries.filter((entry) => entry.seq !== null);
    this.#steps = planSteps(this.shown.items, listItems(entries, line.after, line.isMarked ? "" : (this.app.store.me?.id ?? "")));
    this.#step();
  }

  /** The list shows what it was told: the next change may come. */
  committed(): void {
    if (this.#steps.length) return this.#step();
    if (!this.#placing) this.#followEnd();
    this.#resolve();
  }

  /** Rule 1. */
  #followEnd(): void {
    const view = this.#viewport;
    if (!view || !this.#bottom || this.#held !== "no" || !this.conversation.timeline.attached) return;
    view.toEnd();
  }

  #resolve(): void {
    for (const run of this.#committed.splice(0)) run();
  }

  #step(): void {
    const step = this.#steps.shift();
    if (!step) return;
    const version = `${this.#version}/${this.conversation.marks.get(this.conversation.id) ?? 0}`;
    const epoch = this.shown.epoch + (step.fresh ? 1 : 0);
    this.#set({ ...step, epoch, version, ...this.#jumps(step.items) });
  }

  #set(change: Partial<Shown>): void {
    this.shown = { ...this.shown, ...change };
    this.filled ||= this.shown.items.length > 0;
    for (const run of this.#watchers) run();
  }

  /** The list shows the timeline as it is now. */
  async #updated(): Promise<void> {
    this.update();
    if (!this.#viewport) return;
    await new Promise<void>((resolve) => {
      this.#committed.push(resolve);
      this.#set({});
    });
  }

  /** Rule 5. Of two places that are asked for, the later one counts: the other one no longer `goesOn`. */
  async #place(run: (goesOn: () => boolean) => Promise<void>): Promise<void> {
    this.release(); // what was asked for moves the list
    this.#placing += 1;
    const asked = (this.#asked += 1);
    try {
      await run(() => asked === this.#asked && !this.#ended);
    } finally {
      this.#placing -= 1;
    }
    if (this.#ended || this.#placing) return;
    this.#followEnd();
    this.scrolled();
  }

  /** Scroll to the line above what is unread. @returns whether it is there */
  async #showLine(goesOn: () => boolean): Promise<boolean> {
    const item = this.shown.items.find(({ unread }) => unread);
    if (item) await this.#bring({ key: item.key, align: "start", offset: -LINE_AT }, goesOn);
    return item !== undefined;
  }

  async #bring(place: Place, goesOn: () => boolean): Promise<void> {
    if (this.#viewport) await bring(this.#viewport, () => this.shown.items, place, goesOn);
  }

  /** The list has another size: its messages were measured. */
  resized(): void {
    if (!this.#placing) this.#followEnd();
    this.scrolled();
  }

  scrolled(): void {
    const view = this.#viewport;
    const { timeline } = this.conversation;
    if (!view?.height || this.#placing || this.#steps.length || timeline.generation !== this.#generation) return;
    if (!timeline.loaded || this.#held !== "no") return;
    const left = view.scrollHeight - view.height - view.offset;
    const followed = this.#bottom && view.offset >= this.#offset;
    this.#offset = view.offset;
    // Where newer messages are still to be loaded is no bottom: it would take the view along with each page.
    this.#bottom = timeline.attached && (left < NEAR_BOTTOM || followed);
    if (timeline.more && view.offset < LOAD_AT) void this.older();
    if (!timeline.attached && left < LOAD_AT) void this.#newer();
    this.see();
    this.#look(view);
    this.#giveBack();
  }

  #look(view: Viewport): void {
    const { shown } = this;
    const top = Math.max(0, view.indexAt(view.offset));
    const { missed, away } = this.#jumps(shown.items);
    if (top !== shown.top || missed !== shown.missed || away !== shown.away) this.#set({ top, missed, away });
  }

  async older(): Promise<void> {
    if (this.shown.loading) return;
    this.#set({ loading: true });
    const worked = await this.#reach("above", () => this.app.history.older(this.conversation));
    this.#set({ loading: false });
    await this.#lookAgain(worked);
  }

  async #reach(where: "above" | "below", run: () => Promise<void>): Promise<boolean> {
    const reached = await attemptQuietly(this.app, run);
    this.#set({ cutOff: reached === "cut off" ? where : null });
    return reached === "worked";
  }

  /** What could not be loaded is loaded now, if it is still in view. */
  #reconnected(): void {
    if (this.shown.cutOff !== null) this.#set({ cutOff: null });
    this.scrolled();
  }

  async #newer(): Promise<void> {
    await this.#lookAgain(await this.#reach("below", () => this.app.history.newer(this.conversation)));
  }

  /** What a page brought may not fill the screen, or may be the end. */
  async #lookAgain(worked: boolean): Promise<void> {
    if (!worked || this.#ended) return;
    await this.#updated();
    await this.#viewport?.settle();
    if (!this.#ended) this.scrolled();
  }

  /** Rule 4. */
  #giveBack(): void {
    const view = this.#viewport;
    const { timeline } = this.conversation;
    const { items } = this.shown;
    const surplus = timeline.entries.length - KEPT;
    if (!view?.height || surplus <= MOST - KEPT || items.length < timeline.entries.length) return;
    const above = Math.max(0, view.indexAt(Math.max(0, view.offset - FAR)));
    const below = items.length - 1 - view.indexAt(view.offset + view.height + FAR);
    const { length } = timeline.entries;
    if (above >= below) timeline.trim(length - Math.min(above, surplus));
    else timeline.trimEnd(length - Math.min(below, surplus));
    if (timeline.entries.length < length) this.update();
  }

  get #seen(): boolean {
    return this.visible() && !this.#placing && (this.#viewport?.height ?? 0) > 0 && this.conversation.timeline.loaded;
  }

  /** Rule 3, once the items are those of the timeline. */
  see(): void {
    const { conversation, app } = this;
    if (!this.#seen || this.#steps.length) return;
    if (this.#whereIsLine(this.shown.items) === "here") this.line.meet();
    this.#seeEnd();
    if (this.#bottom || this.line.keeps(conversation.mark)) return; // rule 7
    const seq = this.#viewport ? lastInView(this.#viewport, this.shown.items) : 0;
    if (conversation.mark && seq >= conversation.mark.from) app.messages.mark(conversation, null);
    if ((conversation.timeline.span?.first ?? Infinity) > conversation.read + 1) return;
    if (seq > conversation.read) app.messages.seen(conversation, seq);
  }

  /** Rule 3, for whoever follows the newest message. */
  #seeEnd(): void {
    if (!this.#seen || !this.#bottom || !this.conversation.timeline.attached) return;
    if (this.line.keeps(this.conversation.mark)) return; // rule 7
    this.app.messages.seen(this.conversation);
    this.line.end();
  }

  /** Where the line above what is unread is, seen from the screen. */
  #whereIsLine(items: Item[]): "above" | "here" | "below" {
    const view = this.#viewport;
    const index = items.findIndex(({ unread }) => unread);
    const { span } = this.conversation.timeline;
    if (index < 0 || !view)
      return this.line.after !== null && (span?.first ?? 0) > this.line.after + 1 ? "above" : "below";
    const top = view.topOf(index);
    if (top < view.offset - LINE_AT / 2) return "above";
    return top > view.offset + view.height ? "below" : "here";
  }

  #jumps(items: Item[]): { missed: boolean; away: boolean } {
    return {
      missed: this.line.missed && this.#whereIsLine(items) === "above",
      away: !(this.#bottom && this.conversation.timeline.attached),
    };
  }
}
