/** The list of conversations as people see and use it. */
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import { closeOverlays, Overlays as CardOverlays } from "../../web/app/kit/overlays.tsx";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { Sidebar } from "../../web/app/sidebar/Sidebar.tsx";
import { beginLanguage, chooseLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import type { AnyEvent } from "../../web/types/wire.d.ts";
import { ME, ROOM, YOU, dm, message } from "./support.mjs";

const OTHER = "00000000-0000-4000-8000-0000000000f2";
const QUIET = "00000000-0000-4000-8000-0000000000f3";

let page: TestPage;
let queue: (() => void)[];

/** Let the components see what happened. */
const see = (happen: () => void) =>
  act(() => {
    happen();
    for (const run of queue.splice(0)) run();
  });

const hear = (...events: object[]) => see(() => events.forEach((event) => page.app.store.apply(event as AnyEvent)));
const names = () =>
  screen.getAllByTestId(/^(room|person)-item$/).map((item) => item.querySelector(".item-name")?.textContent);
const row = (name: string) => screen.getByRole("link", { name: new RegExp(name) });
const sections = () => screen.getAllByRole("heading", { level: 2 }).map((head) => head.textContent);

beforeEach(async () => {
  beginLanguage(["en"]);
  queue = [];
  page = new TestPage(undefined, undefined, (run: () => void) => queue.push(run));
  page.rest.rooms = [ROOM, OTHER, QUIET].map((id, index) => {
    return {
      id,
      name: ["general", "design", "quiet"][index],
      visibility: "public",
      role: "member",
      seq: 3,
      unread: 0,
      read: 3,
    };
  });
  page.rest.dms = [{ with: { id: YOU, name: "bob" }, seq: 2, unread: 0, read: 2 }];
  await page.signedIn();
  render(
    <AppContext value={page.app}>
      <NavigationContext value={new Navigation(page.app)}>
        <Sidebar />
      </NavigationContext>
    </AppContext>,
  );
});

afterEach(() => void vi.useRealTimers());

test("the menu of a person opens their card", async () => {
  render(
    <AppContext value={page.app}>
      <CardOverlays />
    </AppContext>,
  );
  fireEvent.contextMenu(row("bob"));
  fireEvent.click(await screen.findByRole("menuitem", { name: "About this person" }));
  expect(await screen.findByRole("dialog", { name: "About bob" })).toBeTruthy();
  act(() => closeOverlays());
});

test("rows stay where they are while one is pressed, and move behind the click", async () => {
  vi.useFakeTimers();
  const before = names();
  const pressed = row("design");
  fireEvent(pressed, new MouseEvent("pointerdown", { bubbles: true, button: 0 }));
  hear(message(4, { room: QUIET }));
  expect(names()).toEqual(before);
  fireEvent(pressed, new MouseEvent("pointerup", { bubbles: true, button: 0 }));
  fireEvent.click(pressed);
  expect(names()).toEqual(before);
  act(() => vi.runAllTimers());
  expect(names()).not.toEqual(before);
  expect(names()[0]).toBe("quiet");
});

test("rooms and people stand in their sections, and what comes unread above them", () => {
  expect(sections()).toEqual(["Rooms", "People"]);
  hear(message(4, { room: QUIET }));
  expect(sections()).toEqual(["Unread", "Rooms", "People"]);
  expect(names()).toEqual(["quiet", "design", "general", "bob"]);
});

test("a mention is told apart from what is only unread", () => {
  hear(message(4), { ...message(4, { room: OTHER }), mentions: [ME] }, dm("c9"));
  expect(row("general 1 unread")).toBeTruthy();
  expect(row("design 1 for you")).toBeTruthy();
  expect(row("bob 1 for you")).toBeTruthy();
  const kinds = screen.getAllByTestId("unread").map((badge) => badge.dataset.kind);
  expect(kinds.sort()).toEqual(["mention", "mention", "unread"]);
});

test("a section folds, and is folded after the next start", () => {
  fireEvent.click(screen.getByRole("button", { name: "Rooms, 3 conversations" }));
  see(() => {});
  expect(names()).toEqual(["bob"]);
  expect(screen.getByRole("button", { name: /^Rooms/ }).getAttribute("aria-expanded")).toBe("false");
  page.app.choices.open(ME);
  expect([...page.app.choices.collapsed]).toEqual(["rooms"]);
});

test("Tab leads to one row, and the arrow keys to the others", () => {
  const stops = () => screen.getByTestId("room-list").querySelectorAll('[data-row] [tabindex="0"]').length;
  expect(stops()).toBe(1);
  act(() => row("design").focus());
  for (const [key, name] of [
    ["ArrowDown", "general"],
    ["ArrowDown", "quiet"],
    ["ArrowUp", "general"],
    ["End", "bob"],
  ]) {
    fireEvent.keyDown(document.activeElement as Element, { key });
    expect(document.activeElement?.textContent).toContain(name);
    expect(stops()).toBe(1);
  }
  fireEvent.keyDown(document.activeElement as Element, { key: "Home" });
  expect(document.activeElement?.getAttribute("data-testid")).toBe("section-rooms");
});

test("the menu of a row makes a favourite of it, and gives the focus back", async () => {
  fireEvent.contextMenu(row("quiet"));
  const menu = await screen.findByRole("menu", { name: "Actions for quiet" });
  fireEvent.click(within(menu).getByRole("menuitem", { name: "Add to favourites" }));
  see(() => {});
  expect(sections()).toEqual(["Favourites", "Rooms", "People"]);
  expect(names()[0]).toBe("quiet");
  expect(document.activeElement).toBe(row("quiet"));
});

test("all of a conversation is marked as read by its menu", async () => {
  hear(message(4));
  fireEvent.contextMenu(row("general"));
  fireEvent.click(await screen.findByRole("menuitem", { name: "Mark as read" }));
  see(() => {});
  expect(screen.queryByTestId("unread")).toBeNull();
  expect(page.socket.of("read").at(-1)).toMatchObject({ room: ROOM, seq: 4 });
});

test("a conversation is marked as unread by its menu, from its newest message on, and as read again", async () => {
  fireEvent.contextMenu(row("general"));
  fireEvent.click(await screen.findByRole("menuitem", { name: "Mark as unread" }));
  see(() => {});
  expect([sections()[0], names()[0]]).toEqual(["Unread", "general"]);
  expect(row("general 1 unread")).toBeTruthy();
  hear(message(4));
  expect(row("general 2 unread")).toBeTruthy();
  fireEvent.contextMenu(row("general"));
  expect(screen.queryByRole("menuitem", { name: "Mark as unread" })).toBeNull();
  fireEvent.click(await screen.findByRole("menuitem", { name: "Mark as read" }));
  see(() => {});
  expect([screen.queryByTestId("unread"), page.app.choices.marks.size]).toEqual([null, 0]);
});

test("a conversation that is not open shows that there is a draft", () => {
  see(() => page.app.drafts.set(`room:${ROOM}`, "half a sentence"));
  expect(row("general Draft")).toBeTruthy();
  see(() => page.app.drafts.set(`room:${ROOM}`, ""));
  expect(screen.queryByTestId("draft-mark")).toBeNull();
});

test("a muted room is marked, and stays out of what is unread", () => {
  see(() => page.app.store.setMutes({ [QUIET]: { muted_until: 1e15 } }));
  hear(message(4, { room: QUIET }));
  expect(sections()).toEqual(["Rooms", "People"]);
  expect(row("quiet muted").dataset.muted).toBe("true");
});

test("the list speaks Russian", () => {
  act(() => chooseLanguage("ru"));
  expect(sections()).toEqual(["Комнаты", "Личные"]);
  expect(screen.getByRole("button", { name: "Комнаты, 3 беседы" })).toBeTruthy();
  act(() => chooseLanguage(null));
});
