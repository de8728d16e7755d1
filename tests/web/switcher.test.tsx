/** The field of Ctrl+K as people use it. */
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { AppContext, NavigationContext } from "../../web/app/context.ts";
import { closeOverlays, Overlays as CardOverlays } from "../../web/app/kit/overlays.tsx";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { Overlays } from "../../web/app/switcher/Overlays.tsx";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { ROOM } from "./support.mjs";

/** It loads when it is opened first, which a busy machine takes long for. */
const PATIENT = { timeout: 60_000 };

let page: TestPage;

beforeEach(async () => {
  beginLanguage(["en"]);
  location.hash = "";
  page = new TestPage();
  await page.signedIn();
  render(
    <AppContext value={page.app}>
      <NavigationContext value={new Navigation(page.app)}>
        <Overlays />
        <CardOverlays />
        <input aria-label="somewhere else" />
      </NavigationContext>
    </AppContext>,
  );
});

const press = (init: object) => fireEvent.keyDown(document.activeElement ?? document.body, init);
const items = () => screen.queryAllByRole("menuitem").map((item) => item.textContent);
const open = async () => {
  press({ key: "k", code: "KeyK", ctrlKey: true });
  return screen.findByRole("searchbox", { name: "Jump to or find" }, PATIENT);
};

test("Ctrl+K opens it with the last conversations, and Escape closes it", async () => {
  const field = await open();
  await waitFor(() => expect(document.activeElement).toBe(field));
  expect(items().join()).toContain("general");
  await userEvent.keyboard("x{Escape}");
  expect(screen.queryByTestId("switcher")).toBeNull();
});

test("what is typed on the wrong layout finds the room, and Enter goes there", async () => {
  await open();
  await userEvent.keyboard("путук");
  await waitFor(() => expect(items()[0]).toContain("general"));
  expect(document.querySelector("mark")?.textContent).toBe("gener");
  await userEvent.keyboard("{Enter}");
  expect(location.hash).toBe(`#/room/${ROOM}`);
  expect(screen.queryByTestId("switcher")).toBeNull();
});

test("a person's card opens from their line, by its button and by Alt+Enter", async () => {
  for (const press of [
    () => userEvent.click(screen.getByRole("button", { name: "About bob" })),
    () => userEvent.keyboard("{Alt>}{Enter}{/Alt}"),
  ]) {
    await open();
    await userEvent.keyboard("bob");
    await waitFor(() => expect(items()[0]).toContain("bob"));
    await waitFor(() => expect(screen.getByRole("status").textContent).toContain("Alt+Enter"));
    await press();
    expect(await screen.findByRole("dialog", { name: "bob" })).toBeTruthy();
    expect(screen.queryByTestId("switcher")).toBeNull();
    expect(location.hash).toBe("");
    act(() => closeOverlays());
  }
});

test("a command is carried out", async () => {
  act(() => page.app.store.conversations.get(`room:${ROOM}`)?.missed(9));
  await open();
  await userEvent.keyboard(">everything");
  await waitFor(() => expect(items()).toEqual(["Mark everything as read"]));
  await userEvent.keyboard("{Enter}");
  expect(page.app.store.get(`room:${ROOM}`)?.unread).toBe(0);
});

test("? shows the keys, but not while one writes", async () => {
  screen.getByLabelText("somewhere else").focus();
  press({ key: "?" });
  expect(screen.queryByTestId("key-sheet")).toBeNull();
  (document.activeElement as HTMLElement).blur();
  press({ key: "?" });
  expect((await screen.findByTestId("key-sheet", {}, PATIENT)).textContent).toContain("Shift");
});
