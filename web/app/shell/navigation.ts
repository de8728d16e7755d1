/**
 * Where the user is: what the address names is on the screen, and a panel beside it. Components go to other places
 * through it.
 */
import { showUnsent } from "../conversation/unsent.tsx";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import { composes } from "../core/keys.ts";
import { parseRoute, type RoomTab, type Route, routeTo } from "../core/route.ts";
import { CORE } from "../core/texts.ts";
import { say } from "../texts.ts";
import { backStack } from "./back.ts";
import { putHomeBelow } from "./homeBelow.ts";
import { keepInvite, takeInvite } from "./invite.ts";
import { hasTooltipAlone } from "./tooltip.ts";

export type PanelName = RoomTab;
export type Screen =
  | { kind: "home" }
  /** What the address names is about to be there: no other screen is drawn first. */
  | { kind: "opening" }
  /** `visit` grows each time that one is led there, also to where one is already. */
  | { kind: "conversation"; conversation: Conversation; seq: number | null; visit: number }
  | { kind: "offer"; room: { id: string; name: string } }
  | { kind: "moderation"; tab: string }
  | { kind: "page"; name: string; rest: string };
export interface Place {
  screen: Screen;
  panel: PanelName | null;
}

type ConversationRoute = Extract<Route, { kind: "room" | "dm" }>;

const PHONE = "(max-width: 720px)";

function firstScreen(hash: string): Screen {
  return { kind: ["room", "dm", "page", "moderation"].includes(parseRoute(hash).kind) ? "opening" : "home" };
}

export class Navigation {
  place: Place = { screen: firstScreen(location.hash), panel: null };
  /** What was typed in the open conversation and not sent; its composer sets this. */
  typed: () => string = () => "";
  /** Writes the mention of a user into the open conversation; its composer sets this. */
  mention: (name: string) => void = () => {};
  /** Lets the user choose a day of the open conversation; its list sets this. */
  askForDay: () => void = () => {};
  #watchers = new Set<() => void>();
  #shown = 0;
  #visits = 0;
  /** The message to which an address has led, and the place of that in the history. */
  #led: { place: number; seq: number } | null = null;
  /** Gives up the entry that the panel has in the history. */
  #leaveTab: ((keeps?: boolean) => void) | null = null;
  /** What has the focus again when the panel closes. */
  #returnTo: Element | null = null;

  readonly app: App;

  constructor(app: App) {
    this.app = app;
  }

  subscribe = (run: () => void) => {
    this.#watchers.add(run);
    return () => void this.#watchers.delete(run);
  };

  /** Follow the address, and the keys that work everywhere. @returns ends it */
  begin(): () => void {
    const ends = new AbortController();
    const { signal } = ends;
    backStack(); // it hears of a new address first
    window.addEventListener("hashchange", () => void this.#route(), { signal });
    window.addEventListener("keydown", (event) => this.#key(event), { signal });
    window.addEventListener("keydown", (event) => this.#keyBeforeTooltip(event), { signal, capture: true });
    document.addEventListener("click", (event) => this.#follow(event), { signal });
    const gone = this.app.on("gone", (ended) => this.#gone(ended));
    putHomeBelow();
    void this.#route();
    return () => {
      ends.abort();
      gone();
      this.#leaveTab?.(true);
    };
  }

  /** Whether a page of moderation is on the screen. */
  get moderating(): boolean {
    return this.place.screen.kind === "moderation";
  }

  go(hash: string): void {
    const { screen, panel } = this.place;
    const route = parseRoute(hash);
    if (location.hash === hash) this.#led = null;
    else if (route.kind === "room" && route.tab && this.app.openKey === `room:${route.id}`) {
      if (route.tab !== panel && screen.kind === "conversation") this.#openTab(screen.conversation, route.tab);
      return;
    } else if (hash !== "#/" || !matchMedia(PHONE).matches) backStack().visit(hash);
    else if (!backStack().leaveFor(hash)) return; // the browser tells when it is there
    void this.#route();
  }

  openConversation(kind: "room" | "dm", id: string, seq: number | null = null): void {
    this.go(routeTo(kind, id, seq));
  }

  /** Open a panel; the one that is open, closes. A tab of a room has an address, which Back leaves. */
  openPanel(which: PanelName): void {
    const { panel, screen } = this.place;
    if (panel === which) return this.closePanel();
    if (screen.kind === "conversation" && screen.conversation.kind === "room") this.#openTab(screen.conversation, which);
  }

  closePanel(): void {
    this.#dropPanel();
  }

  #openTab({ id }: Conversation, tab: PanelName): void {
    this.#leaveTab?.();
    this.#leaveTab = backStack().open({
      close: () => this.#dropPanel(),
      leave: () => (this.#leaveTab = null),
      tab: { address: routeTo("room", id, tab), below: routeTo("room", id) },
    });
    this.#showPanel(tab);
  }

  #showPanel(panel: PanelName): void {
    if (!this.place.panel) this.#returnTo = document.activeElement;
    this.#set({ panel });
  }

  #dropPanel(): void {
    this.#leaveTab?.();
    this.#leaveTab = null;
    if (!this.place.panel) return;
    this.#set({ panel: null });
    if (this.#returnTo instanceof HTMLElement && this.#returnTo.isConnected) this.#returnTo.focus();
  }

  #set(change: Partial<Place>): void {
    this.place = { ...this.place, ...change };
    for (const run of this.#watchers) run();
  }

  async #route(): Promise<void> {
    keepInvite();
    const token = takeInvite();
    if (token) return this.#accept(token);
    const route = parseRoute(location.hash);
    const shown = ++this.#shown;
    switch (route.kind) {
      case "verify":
      case "reset":
        return; // `Stage` takes the window
      case "home":
      case "invite":
        return this.#show({ kind: "home" });
      case "page":
        return this.#show(route);
      case "moderation":
        return this.app.store.me?.moderator ? this.#show(route) : this.go("#/");
      default:
        return this.#enter(route, shown);
    }
  }

  async #enter({ kind, id, seq, tab }: ConversationRoute, shown: number): Promise<void> {
    let conversation: Conversation | null = null;
    const reached = await this.app.attempt(async () => {
      conversation = await this.app.directory.enter(kind, id);
    });
    if (shown !== this.#shown) return;
    if (conversation) return this.#open(conversation, seq, tab ?? null);
    if (reached && kind === "room") {
      const room = await this.app.directory.joinable(id);
      if (shown !== this.#shown) return;
      if (room) return this.#show({ kind: "offer", room });
    }
    if (reached) this.app.notice(say(CORE, "noConversation"), "error");
    this.go("#/");
  }

  #open(conversation: Conversation, seq: number | null, tab: RoomTab | null): void {
    const { screen, panel } = this.place;
    const stays = screen.kind === "conversation" && screen.conversation === conversation;
    // On a phone the panel lies over all of it, and with it over the message that it led to.
    const covers = !tab && matchMedia(PHONE).matches;
    if (covers || (stays && !tab && seq === null && panel)) this.#dropPanel();
    // A link without a message, to the conversation that is open, leads nowhere else in it; nor does one's way back
    // from a tab.
    const { place } = backStack();
    const leads = seq !== null && (this.#led?.place !== place || this.#led.seq !== seq);
    if (seq !== null) this.#led = { place, seq };
    const visit = stays && !leads ? screen.visit : ++this.#visits;
    this.#show({ kind: "conversation", conversation, seq, visit });
    if (tab) this.#enterTab(conversation, tab, stays);
    this.app.directory.watchSoon();
  }

  /** The address names a tab. Back leads to the room from it, also when the link came from elsewhere. */
  #enterTab(conversation: Conversation, tab: RoomTab, stays: boolean): void {
    if (this.#leaveTab && this.place.panel === tab) return;
    const below = routeTo("room", conversation.id);
    const back = backStack();
    if (!back.isTab && !(stays && back.join(below))) back.rename(below);
    this.#openTab(conversation, tab);
  }

  /** The panel that belongs to what was there goes with it. */
  #show(screen: Screen): void {
    const before = this.place.screen;
    const stays =
      screen.kind === "conversation" &&
      before.kind === "conversation" &&
      before.conversation === screen.conversation;
    if (!stays) this.#dropPanel();
    this.app.openKey = screen.kind === "conversation" ? screen.conversation.key : null;
    this.#set({ screen });
    this.app.store.touch("rooms", "dms", "unread");
  }

  /** A conversation has ended. What was written there and not sent can still be copied. */
  #gone({ conversation, why, unsent }: { conversation: Conversation; why: string; unsent: string[] }): void {
    const open = conversation.key === this.app.openKey;
    // An edit is in the field alone.
    const texts = [...new Set([...unsent, open ? this.typed() : ""])].filter((text) => text.trim());
    if (open) this.go("#/");
    if (why && texts.length) showUnsent(why, texts.join("\n\n"));
  }

  async #accept(token: string): Promise<void> {
    const joined: { conversation?: Conversation | null } = {};
    await this.app.attempt(async () => {
      joined.conversation = await this.app.directory.accept(token);
    });
    if (!joined.conversation) return this.go("#/");
    this.app.notice(say(CORE, "joined", { name: joined.conversation.name }));
    this.openConversation("room", joined.conversation.id);
  }

  /** A link leads on by our own way; one to where the address is already leads there once more. */
  #follow(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#/']") : null;
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented) return;
    event.preventDefault();
    this.go(link.getAttribute("href") ?? "");
  }

  #key(event: KeyboardEvent): void {
    if (composes(event)) return;
    if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) this.closePanel();
  }

  /** A tooltip keeps the Escape that closes it to itself. It closes, and the panel with it: one press is enough. */
  #keyBeforeTooltip(event: KeyboardEvent): void {
    if (event.key === "Escape" && !composes(event) && hasTooltipAlone(document.activeElement)) this.closePanel();
  }
}
