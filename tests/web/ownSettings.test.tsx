/** The user's own settings: security, notifications and privacy; the offer of notifications; those of a room. */
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { AppContext } from "../../web/app/context.ts";
import { FOR_EVER } from "../../web/app/core/notifying.ts";
import { Notifying } from "../../web/app/core/notifying.ts";
import { closeOverlays, Overlays } from "../../web/app/kit/overlays.tsx";
import { Offer } from "../../web/app/notifying/Offer.tsx";
import { openRoomNotifications } from "../../web/app/notifying/open.tsx";
import { decideRoom, isMutedAt, levelName, levelOf } from "../../web/app/notifying/roomChoice.ts";
import { Notifications } from "../../web/app/settings/own/Notifications.tsx";
import { Privacy } from "../../web/app/settings/own/Privacy.tsx";
import { Security } from "../../web/app/settings/own/Security.tsx";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { Box, ME, ROOM, YOU, dm } from "./support.mjs";

const AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36";
const SETTINGS = {
  push: true,
  email: true,
  hide_texts: false,
  language: null,
  time_zone: "Europe/Berlin",
  quiet_hours: null,
  default_level: null,
  rooms: { [ROOM]: { level: "mentions", muted_until: FOR_EVER } },
};
let page: TestPage;
let calls: [string, string, object | undefined][];
let logIns: object[];
let permission: string;
const changes = () => calls.filter(([, path]) => path === "/api/notifications/settings").map(([, , body]) => body);

beforeEach(async () => {
  localStorage.clear();
  closeOverlays();
  beginLanguage(["en"]);
  calls = [];
  permission = "default";
  logIns = ["1", "2", "3"].map((id) => ({ id, agent: id === "3" ? "" : AGENT, begun: null, used: "2026-01-01T00:00:00Z", current: id === "1" }));
  page = new TestPage();
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body?: object) => {
    if (method !== "GET") calls.push([method, path, body]);
    if (path === "/api/auth/logins") return method === "GET" ? { logins: logIns } : {};
    if (path === "/api/auth/me" && method === "GET")
      return { id: ME, name: "ann", email: "a@b.example", email_verified: false, pending_email: null };
    if (path === "/api/notifications/settings") return { ...SETTINGS, ...body };
    if (path === "/api/privacy") return { added_by: "shared", decided: false };
    if (path === "/api/privacy/blocks") return { users: [{ id: YOU, name: "bob", display_name: "Bob Cat" }] };
    if (path.startsWith("/api/privacy/blocks/")) return {};
    return answer(method, path, body);
  };
  await page.signedIn();
  const browser = { permission: () => permission, ask: async () => (permission = "denied"), register: async () => ({}) };
  page.app.notifying = new Notifying(page.app, browser as never, new Box());
  await page.app.notifying.begin("key");
});

const show = (view: React.ReactNode) =>
  render(
    <AppContext value={page.app}>
      {view}
      <Overlays />
    </AppContext>,
  );

describe("what is decided about a room", () => {
  test("keeps what is left as it is", () => {
    const known = { level: null, muted_until: 500 };
    expect(isMutedAt(known, 499)).toBe(true);
    expect(isMutedAt(known, 500)).toBe(false);
    expect(decideRoom(known, "all", "keep", 400)).toEqual({ level: "all", muted_until: 500 });
    expect(decideRoom(known, "usual", "", 400)).toEqual({ level: null, muted_until: null });
    expect(decideRoom(known, "nothing", "hour", 400)).toEqual({ level: "nothing", muted_until: 3_600_400 });
    expect([levelName(null), levelOf("usual"), levelName("all"), levelOf("all")]).toEqual(["usual", null, "all", "all"]);
  });
});

test("who comes back to the window sees where they are logged in now", async () => {
  show(<Security />);
  expect(await screen.findAllByTestId("log-in")).toHaveLength(3);
  logIns = logIns.slice(0, 2);
  window.dispatchEvent(new Event("focus"));
  await waitFor(() => expect(screen.getAllByTestId("log-in")).toHaveLength(2));
});

test("log-ins are listed with their programs, and ended one by one or all others", async () => {
  show(<Security />);
  const lines = await screen.findAllByTestId("log-in");
  expect(lines.map((line) => line.textContent)).toEqual([
    expect.stringContaining("Chrome on Linux"),
    expect.stringContaining("Chrome on Linux"),
    expect.stringContaining("An unknown program"),
  ]);
  expect(within(lines[0]).queryByRole("button")).toBeNull();
  await userEvent.click(within(lines[2]).getByRole("button", { name: "Log out: An unknown program" }));
  await userEvent.click(screen.getByRole("button", { name: "Log out everywhere else" }));
  await waitFor(() => expect(calls.filter(([method]) => method === "DELETE").map(([method, path]) => `${method} ${path}`)).toEqual(["DELETE /api/auth/logins/3", "DELETE /api/auth/logins"]));
});

test("the password changes, and the address and the end of the account ask for it", async () => {
  show(<Security />);
  const form = within(await screen.findByTestId("password-form"));
  await userEvent.type(form.getByLabelText("Present password"), "old one here");
  await userEvent.type(form.getByLabelText("New password"), "a new horse battery");
  await userEvent.click(form.getByRole("button", { name: "Change password" }));
  await waitFor(() => expect(page.said.notice.at(-1)).toMatchObject({ text: expect.stringContaining("The password was changed") }));
  expect(calls.at(-1)).toEqual(["PUT", "/api/auth/password", { password: "old one here", new_password: "a new horse battery" }]);
  expect((await screen.findByTestId("email-state")).textContent).toContain("a@b.example is not verified");
  await userEvent.click(screen.getByRole("button", { name: "Change the address…" }));
  expect(within(screen.getByTestId("email-form")).getByLabelText("Password")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Delete my account…" }));
  expect(within(screen.getByTestId("deletion-form")).getByRole("button", { name: "Delete for ever" })).toBeTruthy();
});

test("each choice about notifications is saved at once, and alone", async () => {
  show(<Notifications />);
  await userEvent.click(await screen.findByRole("switch", { name: "Without the text of messages" }));
  await userEvent.click(screen.getByRole("radio", { name: "Nothing" }));
  await userEvent.selectOptions(screen.getByLabelText("Language of notifications"), "ru");
  await userEvent.click(screen.getByRole("switch", { name: /Quiet hours/ }));
  await waitFor(() => expect(screen.getByTestId("settings-saving").dataset.state).toBe("saved"));
  expect(changes()).toEqual([
    { hide_texts: true },
    { default_level: "nothing" },
    { language: "ru" },
    { quiet_hours: { from: "22:00", to: "07:00" }, time_zone: "Europe/Berlin" },
  ]);
  expect(screen.getByTestId("own-room").textContent).toContain("Mentions and replies · muted");
});

test("permission is asked after a click alone, and a refusal is explained", async () => {
  let asked = 0;
  const browser = page.app.notifying?.browser;
  const ask = browser?.ask;
  if (browser && ask) browser.ask = () => (++asked, ask());
  show(<Notifications />);
  const here = await screen.findByRole("switch", { name: /On this device/ });
  expect(asked).toBe(0);
  await userEvent.click(here);
  await waitFor(() => expect(screen.getByTestId("device-note").textContent).toContain("This browser blocks notifications"));
  expect(asked).toBe(1);
  expect(here).toHaveProperty("disabled", true);
});

test("notifications are offered after something for the user came, until they say no", async () => {
  show(<Offer />);
  const arrive = () => act(() => page.app.emit("arrived", { conversation: page.room, event: dm(1) } as never));
  expect(screen.queryByText(/Do you want notifications/)).toBeNull();
  arrive();
  await userEvent.click(screen.getByRole("button", { name: "No, thanks" }));
  arrive();
  expect(screen.queryByText(/Do you want notifications/)).toBeNull();
});

test("a room is muted from its dialog, which says what holds now", async () => {
  show(null);
  await act(() => openRoomNotifications(page.app, { id: ROOM, name: "general" }));
  const dialog = within(await screen.findByTestId("room-notifications-dialog"));
  expect(dialog.getByRole("heading", { name: "Notifications of general" })).toBeTruthy();
  expect(dialog.getByLabelText("Mute")).toHaveProperty("value", "keep");
  await userEvent.selectOptions(dialog.getByLabelText("Mute"), "No");
  await userEvent.click(dialog.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(changes()).toEqual([{ rooms: { [ROOM]: { level: "mentions", muted_until: null } } }]));
});

test("who may add the user is saved at once, and blocked people are unblocked", async () => {
  show(<Privacy />);
  expect(await screen.findByText(/You have not decided/)).toBeTruthy();
  await userEvent.click(screen.getByRole("radio", { name: /Nobody/ }));
  expect(calls.at(-1)).toEqual(["PUT", "/api/privacy", { added_by: "nobody" }]);
  await userEvent.click(await screen.findByRole("button", { name: "Unblock Bob Cat" }));
  expect(calls.at(-1)).toEqual(["DELETE", `/api/privacy/blocks/${YOU}`, undefined]);
});
