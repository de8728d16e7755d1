/** What one sees before any conversation is open: ways to begin, and the first steps of who owns the instance. */
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import { closeOverlays, Overlays } from "../../web/app/kit/overlays.tsx";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { doneSteps, nextStep } from "../../web/app/welcome/steps.ts";
import Welcome from "../../web/app/welcome/Welcome.tsx";
import { TestPage } from "./page.mjs";
import { ME, ROOM } from "./support.mjs";

let page: TestPage;
let role: string | null;
let makers: string;

beforeEach(() => {
  closeOverlays();
  beginLanguage(["en"]);
  role = "owner";
  makers = "everyone";
  page = new TestPage();
  const answer = page.rest.answer.bind(page.rest);
  page.rest.rooms = [{ id: ROOM, name: "general", visibility: "public", role: "owner", seq: 3, unread: 0, read: 3 }];
  page.rest.answer = (method: string, path: string, body: object) => {
    if (path === "/api/config") return { ws_url: "ws://edge/ws", name: "Nest", room_makers: makers };
    if (path === "/api/auth/me") return { id: ME, name: "ann", moderator: role !== null, instance_role: role };
    if (path === "/api/instance") return { revision: 1, name: "Nest", registration: null, default_rooms: [], room_makers: makers };
    if (path === "/api/instance/users") return { users: [{ id: ME, name: "ann" }], more: false, next: null };
    if (path.endsWith("/invites")) return { token: "abc" };
    return answer(method, path, body);
  };
});

const show = async () => {
  await page.signedIn();
  render(
    <AppContext value={page.app}>
      <NavigationContext value={new Navigation(page.app)}>
        <Welcome />
        <Overlays />
      </NavigationContext>
    </AppContext>,
  );
};

test("steps are done one by one, and the first that is not is offered", () => {
  const facts = { choices: { name: null, default_rooms: [] }, rooms: 0, people: 1 };
  expect(nextStep(doneSteps(facts))).toBe("name");
  expect([...doneSteps({ ...facts, rooms: 2, people: 2 })]).toEqual(["room", "invite"]);
  const all = doneSteps({ choices: { name: "Nest", default_rooms: [ROOM] }, rooms: 1, people: 2 });
  expect(nextStep(all)).toBeNull();
});

describe("who owns the instance", () => {
  test("is told so, and what comes first", async () => {
    await show();
    const steps = await screen.findByRole("region", { name: "First steps" });
    expect(within(steps).getByRole("heading", { name: "Nest is yours" })).toBeTruthy();
    expect(within(steps).getByRole("progressbar", { name: "2 of 4 done" })).toBeTruthy();
    expect(within(steps).getByTestId("step-name").textContent).toContain("done");
    expect(within(steps).getByRole("button", { name: "Choose rooms" })).toBeTruthy();
  });

  test("gets a link that brings the team", async () => {
    await show();
    await userEvent.click(await screen.findByRole("button", { name: "Make a link" }));
    const link = await screen.findByRole("textbox", { name: "Link" });
    expect((link as HTMLInputElement).value).toMatch(/#invite=abc$/);
    expect(page.rest.count(`POST /api/rooms/${ROOM}/invites`)).toBe(1);
  });

  test("hides the steps, in Russian too", async () => {
    beginLanguage(["ru"]);
    await show();
    await userEvent.click(await screen.findByRole("button", { name: "Скрыть шаги" }));
    expect(page.app.store.isOwner).toBe(true);
  });
});

describe("everybody else", () => {
  test("has ways to begin, and no steps", async () => {
    role = null;
    await show();
    expect(screen.getByRole("heading", { name: "Hello, ann" })).toBeTruthy();
    expect(screen.queryByRole("region", { name: "First steps" })).toBeNull();
    expect(screen.getByRole("button", { name: /New room/ })).toBeTruthy();
  });

  test("is not offered what only moderators may do", async () => {
    role = null;
    makers = "moderators";
    await show();
    expect(screen.queryByRole("button", { name: /New room/ })).toBeNull();
  });
});
