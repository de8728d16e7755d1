/** Which part of the page is on: the start, the log-in, the chat, or what the link in a mail brings. */
import type { App } from "../core/app.ts";
import { parseRoute } from "../core/route.ts";
import { closeOverlays } from "../kit/overlays.tsx";
import { backStack } from "./back.ts";

export type MailLink = { kind: "verify" | "reset"; token: string };
export type StageState =
  | { phase: "starting" }
  | { phase: "out"; reason: string | undefined }
  /** `visit` grows with each log-in, after which nothing of the one before is on the screen. */
  | { phase: "in"; visit: number }
  | { phase: "link"; link: MailLink; visit: number };

export class Stage {
  state: StageState = { phase: "starting" };
  #watchers = new Set<() => void>();
  #visits = 0;
  /** Who was signed in last in this window. */
  #lastUser = "";

  readonly app: App;

  constructor(app: App) {
    this.app = app;
    document.body.dataset.phase = "starting";
    app.on("session", ({ phase, reason }) =>
      this.#follow(phase, reason),
    );
    window.addEventListener("hashchange", () => this.takeMailLink());
  }

  subscribe = (run: () => void) => {
    this.#watchers.add(run);
    return () => void this.#watchers.delete(run);
  };

  /** Show what the link of a mail brings. Its token leaves the address, and so the history of the browser. */
  takeMailLink(): boolean {
    const route = parseRoute(location.hash);
    if (route.kind !== "verify" && route.kind !== "reset") return false;
    backStack().rename("#/");
    this.#set({ phase: "link", link: { kind: route.kind, token: route.token }, visit: ++this.#visits });
    return true;
  }

  /** The link of the mail is done with. */
  async leaveMailLink(reason?: string): Promise<void> {
    if (this.app.phase === "starting") await this.app.start();
    else this.#follow(this.app.phase);
    if (reason && this.app.phase === "out") this.app.leave(reason);
  }

  #follow(phase: "starting" | "in" | "out", reason?: string): void {
    if (phase === "out") this.app.notifying?.closeAll();
    if (phase === "in") {
      const user = this.app.store.me?.id ?? "";
      // The address is that of the user before, to whose place another one is not led.
      if (this.#lastUser && this.#lastUser !== user) backStack().rename("#/");
      this.#lastUser = user;
      this.#set({ phase, visit: ++this.#visits });
    } else {
      this.#set(phase === "out" ? { phase, reason } : { phase });
    }
  }

  #set(state: StageState): void {
    closeOverlays();
    document.body.dataset.phase = state.phase;
    this.state = state;
    for (const run of this.#watchers) run();
  }
}
