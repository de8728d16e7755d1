/** The field of Ctrl+K as people use it. */
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
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

describe("of a person whom the server finds late", () => {
  const CLEO = { id: "33333333-3333-4333-8333-333333333333", name: "cleo" };
  const chosen = () => document.querySelector('[role="menuitem"][data-focused]')?.textContent;
  let found = (_isThere = true) => {};

  beforeEach(async () => {
    const late = new Promise<boolean>((resolve) => (found = (isThere = true) => resolve(isThere)));
    const get = page.app.api.get.bind(page.app.api);
    page.app.api.get = async <Answer,>(path: string, query?: Parameters<typeof get>[1]) => {
      if (path !== "/api/users") return get<Answer>(path, query);
      return { users: (await late) ? [CLEO] : [], more: false } as Answer;
    };
    await open();
    await userEvent.keyboard("cleo");
    await waitFor(() => expect(chosen()).toContain("Search all"));
  });

  test("Enter goes to that person, and not to the search", async () => {
    found();
    await waitFor(() => expect(chosen()).toContain("cleo"));
    await waitFor(() => expect(items()[0]).toBe(chosen()));
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(location.hash).toBe(`#/person/${CLEO.id}`));
  });

  test("Enter searches, if that was chosen by the arrows", async () => {
    await userEvent.keyboard("{ArrowDown}");
    found();
    await waitFor(() => expect(items()[0]).toContain("cleo"));
    expect(chosen()).toContain("Search all");
    await userEvent.keyboard("{Enter}");
    expect(location.hash).toBe("#/search/cleo");
  });

  test("an Enter before the answer waits for it", async () => {
    await userEvent.keyboard("{Enter}");
    expect([location.hash, screen.queryByTestId("switcher") !== null]).toEqual(["", true]);
    found();
    await waitFor(() => expect(location.hash).toBe(`#/person/${CLEO.id}`));
    expect(screen.queryByTestId("switcher")).toBeNull();
  });

  test("an Enter before the answer searches, if nobody is found", async () => {
    await userEvent.keyboard("{Enter}");
    found(false);
    await waitFor(() => expect(location.hash).toBe("#/search/cleo"));
  });

  test("an Enter before the answer searches when it takes long", async () => {
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(location.hash).toBe("#/search/cleo"), { timeout: 5000 });
  });

  test("what is typed after Enter takes it back", async () => {
    await userEvent.keyboard("{Enter}n");
    found(false);
    await waitFor(() => expect(screen.getByRole("status").textContent).not.toContain("…"));
    expect([location.hash, screen.queryByTestId("switcher") !== null]).toEqual(["", true]);
  });
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
