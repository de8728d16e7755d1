/** The panel of a room: what it is about, its pins, its settings; and the offer to join it. */
import { act, fireEvent, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, expect, test } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import type { App } from "../../web/app/core/app.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { Store } from "../../web/app/core/store.ts";
import { AboutForm } from "../../web/app/room/AboutForm.tsx";
import { changeOf, lengthOf, linkToRoom, shownTab, tabsFor } from "../../web/app/room/facts.ts";
import { RoomPanel } from "../../web/app/room/RoomPanel.tsx";
import type { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { JoinOffer } from "../../web/app/welcome/JoinOffer.tsx";

beforeEach(() => beginLanguage(["en"]));

function frame(role: "owner" | "moderator" | "member", answers: Record<string, unknown>) {
  const store = new Store((run: () => void) => queueMicrotask(run), () => 0);
  store.me = { id: "ann", name: "ann", moderator: false };
  const room = { id: "r1", name: "General", role, topic: "Tea", description: "For tea." };
  const conversation = store.addRoom(room) as Conversation;
  const changes: unknown[] = [];
  const joined: string[] = [];
  const api = {
    get: async (path: string) => {
      if (path in answers) return answers[path];
      throw { status: 0 };
    },
  };
  const opened: string[] = [];
  const notices: string[] = [];
  const directory = {
    wantNames: () => {},
    details: async () => ({ owner: { id: "ben", name: "ben" }, created: "2026-02-03T10:00:00.000Z" }),
    changeRoom: async (_: Conversation, change: unknown) => void changes.push(change),
    join: async (id: string) => void joined.push(id),
  };
  const attempt = async (run: () => Promise<unknown>) => run().then(() => true);
  const settings = { strictness: "normal", held: false };
  const decided: unknown[] = [];
  const moderation = {
    settings: async () => settings,
    setSettings: async (_: Conversation, change: unknown) => void decided.push(change),
  };
  const notice = (text: string) => void notices.push(text);
  const app = { store, api, directory, moderation, attempt, notice, on: () => () => {} } as unknown as App;
  const openPanel = (tab: string) => void opened.push(tab);
  const navigation = { go: () => {}, closePanel: () => {}, openPanel } as unknown as Navigation;
  const show = (page: ReactNode) =>
    act(async () => {
      render(
        <AppContext value={app}>
          <NavigationContext value={navigation}>{page}</NavigationContext>
        </AppContext>,
      );
    });
  return { show, store, conversation, changes, joined, opened, notices, decided };
}

test("what differs is what is sent", () => {
  const before = { topic: "Tea", description: "For tea." };
  expect(changeOf(before, { topic: " Tea ", description: "For tea.\n" })).toBeNull();
  expect(changeOf(before, { topic: "", description: "For tea." })).toEqual({ topic: "" });
  expect(changeOf(before, { topic: "Hot\ntea", description: "More" })).toEqual({ topic: "Hot tea", description: "More" });
  expect(lengthOf(" 👍🏽 ")).toBe(2);
});

test("an owner changes the topic, and not to one that is too long", async () => {
  const { show, conversation, changes } = frame("owner", {});
  await show(<AboutForm conversation={conversation} onClose={() => {}} />);
  const topic = screen.getByRole("textbox", { name: "Topic" });
  fireEvent.change(topic, { target: { value: "x".repeat(251) } });
  expect(screen.getByText("At most 250 characters")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Save" })).toHaveProperty("disabled", true);
  fireEvent.change(topic, { target: { value: "Coffee" } });
  await act(async () => screen.getByRole("button", { name: "Save" }).click());
  expect(changes).toEqual([{ topic: "Coffee" }]);
});

test("the tabs are those that one's role allows", () => {
  expect(tabsFor("reader", false)).toEqual(["about", "members", "pins"]);
  expect(tabsFor("member", true)).toEqual(["about", "members", "pins", "settings"]);
  expect(tabsFor("moderator", false)).toEqual(["about", "members", "pins", "invitations"]);
  expect(shownTab(tabsFor("owner", false), "settings")).toBe("settings");
  expect(shownTab(tabsFor("member", false), "settings")).toBe("about");
  expect(linkToRoom("r1", { origin: "https://x", pathname: "/chat/" })).toBe("https://x/chat/#/room/r1");
});

test("a member reads what the room is about, as it is now, and goes on to other tabs", async () => {
  const { show, store, conversation, opened } = frame("member", {});
  await show(<RoomPanel conversation={conversation} tab="settings" />);
  expect(screen.getByRole("tab", { name: "About" }).getAttribute("aria-selected")).toBe("true");
  expect(screen.queryByRole("tab", { name: "Settings" })).toBeNull();
  expect(screen.getByText("For tea.")).toBeTruthy();
  expect(screen.getByText("February 3, 2026")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Edit" })).toBeNull();
  await act(async () => void store.addRoom({ id: "r1", name: "General", topic: "Coffee" }));
  expect(screen.getByText("Coffee")).toBeTruthy();
  await act(async () => screen.getByRole("tab", { name: "Pins" }).click());
  expect(opened).toEqual(["pins"]);
});

test("an owner changes what differs of a room, and how it is moderated", async () => {
  const { show, store, conversation, changes, notices, decided } = frame("owner", {});
  await show(<RoomPanel conversation={conversation} tab="settings" />);
  const general = within(screen.getByTestId("room-settings-form"));
  const save = general.getByRole("button", { name: "Save" });
  expect(save).toHaveProperty("disabled", true);
  fireEvent.click(general.getByRole("radio", { name: /Only read/ }));
  await act(async () => void store.addRoom({ id: "r1", name: "Renamed by another" }));
  expect(general.getByRole("textbox", { name: "Name" })).toHaveProperty("value", "Renamed by another");
  await act(async () => save.click());
  expect(changes).toEqual([{ default_role: "reader" }]);
  expect(notices).toEqual(["The room was changed."]);
  const moderation = within(screen.getByTestId("strictness-form"));
  fireEvent.click(moderation.getByRole("switch"));
  await act(async () => moderation.getByRole("button", { name: "Save" }).click());
  expect(decided).toEqual([{ strictness: "normal", held: true }]);
});

test("pins lead to their messages, and a failure can be tried again", async () => {
  const answers: Record<string, unknown> = {};
  const { show, conversation } = frame("member", answers);
  await show(<RoomPanel conversation={conversation} tab="pins" />);
  expect(screen.getByRole("alert").textContent).toContain("cannot be reached");
  const sender = { id: "ben", name: "ben" };
  const message = { type: "message", room: "r1", seq: 3, sender, text: "The plan", ts: "2026-02-03T10:00:00.000Z" };
  answers["/api/rooms/r1/pins"] = { pins: [{ message, by: sender, at: message.ts }] };
  await act(async () => screen.getByRole("button", { name: /again|Retry/ }).click());
  expect(screen.getByRole("link", { name: /The plan/ }).getAttribute("href")).toBe("#/room/r1/3");
  expect(screen.getByText("Pinned by ben")).toBeTruthy();
});

test("one sees what a room is about before joining it", async () => {
  const owner = { id: "ben", name: "ben" };
  const listed = { id: "r9", name: "Den", members: 3, owner, created: "2026-02-03T10:00:00.000Z" };
  const about = { topic: "Foxes", description: "All about them" };
  const { show, joined } = frame("member", { "/api/rooms/r9": { ...listed, ...about } });
  await show(<JoinOffer room={{ id: "r9", name: "Den" }} />);
  expect(screen.getByText("Foxes")).toBeTruthy();
  expect(screen.getByText(/3 members · Owner: ben · Made on/)).toBeTruthy();
  await act(async () => screen.getByRole("button", { name: "Join room" }).click());
  expect(joined).toEqual(["r9"]);
});
