/** What the page says by itself: the connection, what was done or failed, and new messages for screen readers. */
import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppContext } from "../../web/app/context.ts";
import type { App, Signals } from "../../web/app/core/app.ts";
import { Announcer } from "../../web/app/status/Announcer.tsx";
import { ConnectionPill } from "../../web/app/status/ConnectionPill.tsx";
import { Toasts } from "../../web/app/status/Toasts.tsx";
import { beginLanguage } from "../../web/app/texts.ts";

/** Of the app, what tells. */
class Teller {
  openKey = "room:a";
  woken = 0;
  link = { wake: () => (this.woken += 1) };
  #runs = new Map<string, Set<(detail: never) => void>>();

  on = (name: string, run: (detail: never) => void) => {
    const runs = this.#runs.get(name) ?? new Set();
    this.#runs.set(name, runs.add(run));
    return () => runs.delete(run);
  };

  tell<Name extends keyof Signals>(name: Name, detail: Signals[Name]) {
    act(() => this.#runs.get(name)?.forEach((run) => run(detail as never)));
  }
}

let app: Teller;
const show = (part: React.ReactNode) => render(<AppContext value={app as unknown as App}>{part}</AppContext>);

beforeEach(() => {
  vi.useFakeTimers();
  beginLanguage(["en"]);
  app = new Teller();
});
afterEach(() => void vi.useRealTimers());

test("a connection that is lost for two seconds says so, counts down, and is hurried by a button", () => {
  show(<ConnectionPill />);
  const pill = screen.getByTestId("connection-status");
  app.tell("link", { state: "reconnecting", until: Date.now() + 10_000 });
  expect(pill.dataset.state).toBe("reconnecting");
  expect(screen.queryByRole("button")).toBeNull();
  act(() => void vi.advanceTimersByTime(2_500));
  expect(pill.textContent).toContain("Next try in 8 seconds.");
  fireEvent.click(screen.getByRole("button", { name: "Retry now" }));
  expect(app.woken).toBe(1);
  app.tell("link", { state: "online" });
  expect(pill.className).toBe("visually-hidden");
  expect(pill.textContent).toBe("Connected");
});

test("a notice goes after a while, an error stays until it is dismissed, and none outlives the log-in", () => {
  show(<Toasts />);
  app.tell("notice", { text: "Saved.", tone: "info" });
  app.tell("notice", { text: "It failed.", tone: "error" });
  app.tell("notice", { text: "It failed.", tone: "error" });
  expect(screen.getAllByTestId("notice")).toHaveLength(2);
  act(() => void vi.advanceTimersByTime(6_000));
  expect(screen.getAllByTestId("notice").map((one) => one.textContent)).toEqual(["It failed."]);
  fireEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByTestId("notice")).toBeNull();
  app.tell("notice", { text: "Of Ann.", tone: "error" });
  app.tell("session", { phase: "out" });
  expect(screen.queryByTestId("notice")).toBeNull();
});

test("new messages of the open conversation are read out, and gone with the log-in", () => {
  show(<Announcer />);
  const event = { sender: { id: "1", name: "bob" }, text: "hello" };
  const arrived = (key: string) => ({ conversation: { key }, event }) as unknown as Signals["arrived"];
  app.tell("arrived", arrived("room:b"));
  app.tell("arrived", arrived("room:a"));
  const log = screen.getByRole("log", { name: "New messages" });
  expect(log.textContent).toBe("bob: hello");
  app.tell("session", { phase: "out" });
  expect(log.textContent).toBe("");
});
