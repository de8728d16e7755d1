/** Rooms are found, made and told apart; the head of a conversation says who is there. */
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, expect, test } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import { ApiError } from "../../web/app/core/api.ts";
import type { App } from "../../web/app/core/app.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import type { ListedRoom } from "../../web/app/core/rest.ts";
import { parseRoute, routeTo } from "../../web/app/core/route.ts";
import { Store } from "../../web/app/core/store.ts";
import { EmptyRoom } from "../../web/app/head/EmptyRoom.tsx";
import { Head } from "../../web/app/head/Head.tsx";
import { agoText } from "../../web/app/head/about.ts";
import { changed } from "../../web/app/room/draft.ts";
import { NewRoom } from "../../web/app/rooms/NewRoom.tsx";
import RoomsPage from "../../web/app/rooms/RoomsPage.tsx";
import type { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";

beforeEach(() => beginLanguage(["en"]));

const ID = "00000000-0000-4000-8000-0000000000f2";
const OWNER = { id: "ben", name: "ben", display_name: "Ben Lee" };
const room = (name: string): ListedRoom => {
  return { id: name, name, topic: "Tea", members: 3, owner: OWNER, created: "2026-02-03T10:00:00Z", next: "more" };
};

function frame(role: "owner" | "member" = "owner") {
  const store = new Store((run: () => void) => queueMicrotask(run), () => 0);
  store.me = { id: "ann", name: "ann", moderator: false };
  const conversation = store.addRoom({ id: "r1", name: "General", visibility: "public", role }) as Conversation;
  const done: unknown[][] = [];
  const directory = {
    wantNames: () => {},
    publicRooms: async (name: string, last: ListedRoom | null) => {
      done.push(["list", name, last?.name ?? null]);
      const items = name === "x" ? [] : last ? [room("second")] : [room("first")];
      return { items, more: !last && name !== "x" };
    },
    join: async (id: string) => void done.push(["join", id]),
    createRoom: async (...room: unknown[]) => {
      done.push(["create", ...room]);
      if (room[0] === "bad") throw new ApiError(422, { code: "invalid", field: "name" });
      return { id: "made" };
    },
  };
  const attempt = async (run: () => Promise<unknown>) => run().then(() => true);
  const app = { store, directory, attempt, on: () => () => {} } as unknown as App;
  const navigation = {
    go: (hash: string) => void done.push(["go", hash]),
    openPanel: (tab: string) => void done.push(["panel", tab]),
    openConversation: (kind: string, id: string) => void done.push(["open", kind, id]),
  } as unknown as Navigation;
  const show = (page: ReactNode) =>
    act(async () => {
      render(
        <AppContext value={app}>
          <NavigationContext value={navigation}>{page}</NavigationContext>
        </AppContext>,
      );
    });
  return { show, store, conversation, done, navigation };
}

test("a tab of a room is an address, and nothing else is one", () => {
  expect(parseRoute(routeTo("room", ID, "members"))).toEqual({ kind: "room", id: ID, seq: null, tab: "members" });
  expect(parseRoute(`#/room/${ID}/nonsense`)).toEqual({ kind: "room", id: ID, seq: null });
  expect(parseRoute(`#/person/${ID}/members`)).toEqual({ kind: "dm", id: ID, seq: null });
});

test("what is typed again as it was is no change", () => {
  expect(changed({ name: "a", held: false }, { name: "a" })).toBeNull();
  expect(changed({ name: "a", held: false }, { name: "a", held: true })).toEqual({ held: true });
});

test("public rooms come page by page, and one looks at them or joins", async () => {
  const { show, done } = frame();
  await show(<RoomsPage />);
  await waitFor(() => expect(screen.getAllByRole("listitem")).toHaveLength(1));
  expect(screen.getByTestId("room-about").textContent).toBe("3 members · by Ben Lee @ben · since Feb 3, 2026");
  expect(screen.getByRole("link", { name: "first" }).getAttribute("href")).toBe("#/room/first");
  await act(async () => screen.getByRole("button", { name: "Show more" }).click());
  await act(async () => screen.getByRole("button", { name: "Join second" }).click());
  expect(done.slice(1)).toEqual([["list", "", "first"], ["join", "second"], ["open", "room", "second"]]);
  fireEvent.change(screen.getByRole("searchbox"), { target: { value: "x" } });
  await screen.findByText("No public room has such a name.");
});

test("a room is made as it is described, and a refused name says so by its field", async () => {
  const { show, done, navigation } = frame();
  let closed = 0;
  await show(<NewRoom navigation={navigation} onClose={() => void (closed += 1)} />);
  const name = screen.getByRole("textbox", { name: "Name" });
  expect(screen.getByRole("button", { name: "Create room" })).toHaveProperty("disabled", true);
  fireEvent.change(name, { target: { value: "bad" } });
  await act(async () => screen.getByRole("button", { name: "Create room" }).click());
  expect(name.getAttribute("aria-invalid")).toBe("true");
  await act(async () => screen.getByRole("button", { name: "Create room" }).click());
  expect(done.map(([what, typed]) => `${what} ${typed}`)).toEqual(["create bad", "create bad"]);
  fireEvent.change(name, { target: { value: " Plans " } });
  expect(name.getAttribute("aria-invalid")).toBeNull();
  fireEvent.click(screen.getByRole("radio", { name: /Private/ }));
  await act(async () => screen.getByRole("button", { name: "Create room" }).click());
  expect(done.slice(2)).toEqual([["create", "Plans", "private", "member", undefined], ["open", "room", "made"]]);
  expect(closed).toBe(1);
});

test("the head says what the room is, how many are in it and who of them is there, as it is now", async () => {
  const { show, store, conversation, done } = frame();
  await show(<Head conversation={conversation} />);
  const about = () => document.querySelector(".conv-about")?.textContent;
  expect(about()).toBe("Public room");
  await act(async () => {
    conversation.members = [{ id: "ann", name: "ann", role: "owner" }, { ...OWNER, role: "member" }];
    conversation.memberCount = 2;
    store.addRoom({ id: "r1", name: "General", topic: "Tea", default_role: "reader" });
  });
  expect(about()).toBe("Tea · Public room for announcements · 2 members, 1 online");
  await act(async () => {
    conversation.moreMembers = true;
    conversation.memberCount = 1001;
    store.touch("members:room:r1");
  });
  expect(about()).toBe("Tea · Public room for announcements · 1,001 members");
  await act(async () => screen.getByRole("button", { name: "General" }).click());
  await act(async () => screen.getByRole("button", { name: "Members" }).click());
  expect(done).toEqual([["panel", "about"], ["panel", "members"]]);
});

test("a person is there, or was seen", async () => {
  const { show, store } = frame();
  store.meet([OWNER]);
  await show(<Head conversation={store.open("dm", "ben")} />);
  await act(async () => store.setPresence("ben", "away"));
  expect(document.querySelector(".conv-about")?.textContent).toContain("away");
  expect(agoText("2026-02-03T10:00:00Z", Date.parse("2026-02-03T10:00:10Z"), "en")).toBe("this minute");
  expect(agoText("2026-02-03T10:00:00Z", Date.parse("2026-02-03T13:10:00Z"), "en")).toBe("3 hours ago");
  expect(agoText("2026-02-03T10:00:00Z", Date.parse("2026-02-05T13:10:00Z"), "ru")).toBe("позавчера");
});

test("who is alone in a room is led to inviting others, if they may", async () => {
  const { show, store, conversation } = frame();
  conversation.memberCount = 1;
  await show(<EmptyRoom conversation={conversation} />);
  expect(screen.getByRole("button", { name: "Invite your team" })).toBeTruthy();
  await act(async () => void store.addRoom({ id: "r1", name: "General", role: "member" }));
  expect(screen.queryByRole("button")).toBeNull();
});
