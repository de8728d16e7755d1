/** A room's pins, what it is about, and the offer to join it. */
import { act, fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, expect, test } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import type { App } from "../../web/app/core/app.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { Store } from "../../web/app/core/store.ts";
import { AboutRoom } from "../../web/app/room/AboutRoom.tsx";
import { changeOf, lengthOf } from "../../web/app/room/facts.ts";
import { PinsPanel } from "../../web/app/room/PinsPanel.tsx";
import type { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { JoinOffer } from "../../web/app/welcome/JoinOffer.tsx";

beforeEach(() => beginLanguage(["en"]));

function frame(role: "owner" | "member", answers: Record<string, unknown>) {
  const store = new Store((run: () => void) => run(), () => 0);
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
  const directory = {
    wantNames: () => {},
    changeRoom: async (_: Conversation, change: unknown) => void changes.push(change),
    join: async (id: string) => void joined.push(id),
  };
  const attempt = async (run: () => Promise<unknown>) => run().then(() => true);
  const app = { store, api, directory, attempt, on: () => () => {} } as unknown as App;
  const navigation = { go: () => {}, closePanel: () => {} } as unknown as Navigation;
  const show = (page: ReactNode) =>
    act(async () => {
      render(
        <AppContext value={app}>
          <NavigationContext value={navigation}>{page}</NavigationContext>
        </AppContext>,
      );
    });
  return { show, conversation, changes, joined };
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
  await show(<AboutRoom conversation={conversation} onClose={() => {}} />);
  const topic = screen.getByRole("textbox", { name: "Topic" });
  fireEvent.change(topic, { target: { value: "x".repeat(251) } });
  expect(screen.getByText("At most 250 characters")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Save" })).toHaveProperty("disabled", true);
  fireEvent.change(topic, { target: { value: "Coffee" } });
  await act(async () => screen.getByRole("button", { name: "Save" }).click());
  expect(changes).toEqual([{ topic: "Coffee" }]);
});

test("a member reads what the room is about", async () => {
  const { show, conversation } = frame("member", {});
  await show(<AboutRoom conversation={conversation} onClose={() => {}} />);
  expect(screen.getByText("For tea.")).toBeTruthy();
  expect(screen.queryByRole("textbox")).toBeNull();
});

test("pins lead to their messages, and a failure can be tried again", async () => {
  const answers: Record<string, unknown> = {};
  const { show, conversation } = frame("member", answers);
  await show(<PinsPanel conversation={conversation} />);
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
  const { show, joined } = frame("member", {
    "/api/rooms/r9": { id: "r9", name: "Den", topic: "Foxes", description: "All about them" },
    "/api/rooms": { rooms: [listed] },
  });
  await show(<JoinOffer room={{ id: "r9", name: "Den" }} />);
  expect(screen.getByText("Foxes")).toBeTruthy();
  expect(screen.getByText(/3 members · Owner: ben · Made on/)).toBeTruthy();
  await act(async () => screen.getByRole("button", { name: "Join room" }).click());
  expect(joined).toEqual(["r9"]);
});
