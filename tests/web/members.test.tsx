/** The members of a room as people see them, and the invitations to it. */
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, expect, test } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import type { App } from "../../web/app/core/app.ts";
import type { Conversation } from "../../web/app/core/conversation.ts";
import { changedBy, countedBy, filtered, givenBy, ordered, outranks } from "../../web/app/core/members.ts";
import type { Member } from "../../web/app/core/rest.ts";
import { Store } from "../../web/app/core/store.ts";
import { Invitations } from "../../web/app/invitations/Invitations.tsx";
import { Overlays } from "../../web/app/kit/overlays.tsx";
import { MembersTab } from "../../web/app/members/MembersTab.tsx";
import type { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import type { MemberEvent, Role } from "../../web/types/wire.d.ts";

beforeEach(() => beginLanguage(["en"]));

const PEOPLE: Member[] = [
  { id: "ann", name: "ann", role: "moderator" },
  { id: "ben", name: "ben", display_name: "Zoë", role: "owner" },
  { id: "cat", name: "cat", role: "member" },
];
const event = (user: string, change: MemberEvent["change"], role?: Role): MemberEvent => {
  return { type: "member", room: "r1", user, change, role };
};
const ids = (members: readonly Member[]) => members.map(({ id }) => id).join(" ");

test("owners stand first, and a search takes either name", () => {
  expect(ids(ordered(PEOPLE))).toBe("ben ann cat");
  expect(ids(filtered(PEOPLE, "zoe"))).toBe("ben");
  expect(ids(filtered(PEOPLE, ""))).toBe("ann ben cat");
});

test("a moderator rules those below, an owner everybody", () => {
  expect(outranks("moderator", "owner")).toBe(false);
  expect(outranks("moderator", "moderator")).toBe(false);
  expect(givenBy("moderator")).toEqual(["member", "reader"]);
  expect(givenBy("owner")).toEqual(["owner", "moderator", "member", "reader"]);
  expect(givenBy("member")).toEqual([]);
});

test("a list of which the beginning is read follows each event", () => {
  const bob = { name: "bob" };
  expect(ids(changedBy(PEOPLE, event("bob", "joined"), bob, true))).toBe("ann ben bob cat");
  expect(ids(changedBy(PEOPLE, event("zed", "joined"), { name: "zed" }, true))).toBe("ann ben cat");
  expect(ids(changedBy(PEOPLE, event("zed", "joined"), { name: "zed" }, false))).toBe("ann ben cat zed");
  expect(ids(changedBy(PEOPLE, event("cat", "joined"), { name: "cat" }, false))).toBe("ann ben cat");
  expect(ids(changedBy(PEOPLE, event("ben", "banned"), null, false))).toBe("ann cat");
  expect(changedBy(PEOPLE, event("cat", "role", "reader"), null, false)[2]).toMatchObject({ role: "reader" });
  expect([event("x", "joined"), event("x", "role"), event("x", "left")].map(countedBy)).toEqual([1, 0, -1]);
});

function frame(role: Role, more: boolean) {
  const store = new Store((run: () => void) => queueMicrotask(run), () => 0);
  store.me = { id: "ann", name: "ann", moderator: false };
  const conversation = store.addRoom({ id: "r1", name: "General", role }) as Conversation;
  conversation.members = PEOPLE;
  conversation.moreMembers = more;
  conversation.memberCount = more ? 1001 : 3;
  const done: unknown[][] = [];
  const note = (name: string) => async (_: Conversation, ...rest: unknown[]) => void done.push([name, ...rest]);
  const directory = {
    loadMembers: async () => {},
    moreMembers: note("more"),
    pageOfMembers: async (_: Conversation, name: string) => {
      done.push(["find", name]);
      return { members: [{ id: "eve", name: "eve", role: "member" }], more: false };
    },
    setRole: note("role"),
    kick: note("kick"),
    ban: note("ban"),
  };
  const api = {
    get: async () => ({
      invites: [{ id: "i1", role: "reader", creator: { id: "ben", name: "ben" }, expires: "2026-02-03T10:00:00Z", uses: 10, used: 2 }],
    }),
    post: async (_: string, body: object) => {
      done.push(["invite", body]);
      return { token: "secret" };
    },
    delete: async (path: string) => void done.push(["end", path]),
  };
  const notice = (text: string) => void done.push(["notice", text]);
  const attempt = async (run: () => Promise<unknown>) => run().then(() => true);
  const app = { store, api, directory, notice, attempt, emit: () => {}, on: () => () => {} } as unknown as App;
  const show = (page: ReactNode) =>
    act(async () => {
      render(
        <AppContext value={app}>
          <NavigationContext value={{} as Navigation}>{page}</NavigationContext>
          <Overlays />
        </AppContext>,
      );
    });
  return { show, conversation, done, store };
}

const names = () => screen.getAllByTestId("member").map((row) => row.getAttribute("data-id")).join(" ");
const choose = async (name: string, entry: string) => {
  fireEvent.click(screen.getByRole("button", { name: `Manage ${name}` }));
  const found = await screen.findByRole("menuitem", { name: entry });
  await act(async () => found.click());
};

test("a moderator restricts, changes roles and bans, after a question", async () => {
  const { show, conversation, done } = frame("moderator", false);
  await show(<MembersTab conversation={conversation} />);
  expect(names()).toBe("ben ann cat");
  expect(screen.getByText("3 members")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Manage Zoë" })).toBeNull();
  await choose("cat", "Let them only read");
  await choose("cat", "Change role…");
  fireEvent.click(screen.getByRole("radio", { name: /Reader/ }));
  expect(done).toEqual([["role", "cat", "reader"]]);
  await act(async () => screen.getByRole("button", { name: "Change role" }).click());
  expect(done.slice(1)).toEqual([["role", "cat", "reader"]]);
  await choose("cat", "Ban…");
  fireEvent.change(screen.getByRole("textbox", { name: /Reason/ }), { target: { value: " spam " } });
  await act(async () => screen.getByRole("button", { name: "Ban" }).click());
  expect(done.slice(2)).toEqual([["ban", "cat", "spam"]]);
});

test("a member sees who is here, and finds somebody beyond the pages that are read", async () => {
  const { show, conversation, done } = frame("member", true);
  await show(<MembersTab conversation={conversation} />);
  expect(screen.getByText("1,001 members")).toBeTruthy();
  expect(screen.queryByRole("button", { name: /Manage|Add people|Invitation/ })).toBeNull();
  fireEvent.change(screen.getByRole("searchbox"), { target: { value: "ev" } });
  await waitFor(() => expect(names()).toBe("eve"));
  expect(done).toContainEqual(["find", "ev"]);
});

test("an invitation is made with its limits, and ended", async () => {
  const { show, conversation, done } = frame("owner", false);
  await show(<Invitations conversation={conversation} />);
  const line = within(screen.getByTestId("invitation"));
  expect(line.getByText("Reader, by ben")).toBeTruthy();
  expect(screen.getByTestId("invitation").textContent).toMatch(/2 of 10 used · until Feb/);
  await act(async () => screen.getByRole("button", { name: "Make an invitation" }).click());
  expect(done).toEqual([["invite", { role: "member", expires_in: 604800, uses: null }]]);
  expect(screen.getByRole("textbox", { name: "Invitation link" }).getAttribute("value")).toContain("#invite=secret");
  await act(async () => line.getByRole("button", { name: "End the invitation by ben" }).click());
  expect(done.at(-1)).toEqual(["end", "/api/rooms/r1/invites/i1"]);
});
