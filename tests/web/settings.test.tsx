/** The settings page: the profile, the look, and what owners of the instance decide. */
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import { endOf } from "../../web/app/settings/ends.ts";
import SettingsPage from "../../web/app/settings/SettingsPage.tsx";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { ME, ROOM, YOU } from "./support.mjs";

const INSTANCE = { revision: 3, name: "Team", registration: null, default_rooms: [], room_makers: "everyone" };
let page: TestPage;
let put: Record<string, object>;

beforeEach(async () => {
  localStorage.clear();
  beginLanguage(["en"]);
  page = new TestPage();
  put = {};
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body: object) => {
    if (method === "PUT") put[path] = body;
    if (path === "/api/auth/me")
      return { id: ME, name: "ann", display_name: null, status: null, moderator: true, instance_role: "owner" };
    if (path === "/api/auth/me/status") return { id: ME, name: "ann", display_name: null, status: { until: null, ...body } };
    if (path === "/api/instance") return method === "PUT" ? { ...body, revision: 4 } : INSTANCE;
    if (path === "/api/instance/users")
      return { users: [{ id: YOU, name: "bob", created: "2026-01-02T00:00:00Z", blocked: true, instance_role: null }], more: false, next: null };
    return answer(method, path, body);
  };
  await page.signedIn();
});

const show = (rest: string) =>
  render(
    <AppContext value={page.app}>
      <NavigationContext value={new Navigation(page.app)}>
        <SettingsPage rest={rest} />
      </NavigationContext>
    </AppContext>,
  );

test("a status is set, and stands above its form", async () => {
  show("");
  await userEvent.type(await screen.findByLabelText("What you are doing"), "on holiday");
  await userEvent.click(screen.getByRole("button", { name: "Set the status" }));
  expect(put["/api/auth/me/status"]).toEqual({ emoji: "", text: "on holiday" });
  expect((await screen.findByTestId("status-now")).textContent).toContain("on holiday");
});

test("the emoji of a status is one of the picker's, and may be taken away", async () => {
  show("");
  await userEvent.click(await screen.findByRole("button", { name: "Choose an emoji for the status" }));
  await userEvent.click(await screen.findByRole("option", { name: "rocket" }));
  await userEvent.click(await screen.findByRole("button", { name: "Set the status" }));
  expect(put["/api/auth/me/status"]).toEqual({ emoji: "🚀", text: "" });
  expect(await screen.findByRole("button", { name: "Emoji of the status: 🚀. Choose another" })).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Remove the emoji" }));
  await userEvent.click(screen.getByRole("button", { name: "Set the status" }));
  expect(put["/api/auth/me/status"]).toEqual({ emoji: "", text: "" });
});

test("the letter of the profile is that of the name as it is typed", async () => {
  show("");
  const face = await screen.findByTestId("profile-face");
  expect(face.textContent).toBe("Aann@ann");
  await userEvent.type(screen.getByLabelText("Display name"), " Zoë Ott");
  expect(face.textContent).toBe("ZZoë Ott@ann");
  await userEvent.clear(screen.getByLabelText("Display name"));
  expect(face.textContent).toBe("Aann@ann");
});

test("the language and the colours change at once, and are kept", async () => {
  const { unmount } = show("language");
  await userEvent.click(screen.getByRole("radio", { name: "Русский" }));
  expect(await screen.findByRole("heading", { name: "Настройки" })).toBeTruthy();
  unmount();
  show("appearance");
  await userEvent.click(screen.getByRole("radio", { name: "Тёмные" }));
  expect(document.documentElement.dataset.theme).toBe("dark");
});

test("an owner decides for the instance, by the revision that was read", async () => {
  show("instance");
  await userEvent.click(await screen.findByRole("radio", { name: "People with an invitation" }));
  await userEvent.click(screen.getByRole("switch", { name: "general" }));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(put["/api/instance"]).toEqual({ ...INSTANCE, registration: "invitation", default_rooms: [ROOM] });
});

test("users are listed with their state", async () => {
  show("users");
  expect((await screen.findByTestId("user-line")).textContent).toContain("blocked");
});

test("a status ends when one said", () => {
  const now = new Date(2026, 10, 27, 8, 0);
  expect(endOf("never", now)).toBeNull();
  expect(Date.parse(endOf("hour", now) ?? "") - now.getTime()).toBe(3_600_000);
  expect(new Date(endOf("today", now) ?? "")).toEqual(new Date(2026, 10, 28));
});
