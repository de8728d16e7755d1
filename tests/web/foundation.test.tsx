/** What all components stand on: the watch of the store, and texts in two languages. */
import { act, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { AppContext, useWatch } from "../../web/app/context.ts";
import type { App } from "../../web/app/core/app.ts";
import { Store } from "../../web/app/core/store.ts";
import { beginLanguage, chooseLanguage, defineTexts, formatDate, pickLanguage, say, useTexts } from "../../web/app/texts.ts";

const TEXTS = defineTexts("test", {
  rooms: {
    en: "{count, plural, one {# room} other {# rooms}} of {name}",
    ru: "{count, plural, one {# комната} few {# комнаты} other {# комнат}} у {name}",
  },
});

test("a component is drawn anew when a topic that it watches changes", () => {
  const queue: (() => void)[] = [];
  const store = new Store((run: () => void) => queue.push(run), () => 0);
  function Rooms() {
    return <p>{useWatch("rooms", "unread").list("room").map((room) => room.name).join(", ") || "none"}</p>;
  }
  const { container } = render(
    <AppContext value={{ store } as App}>
      <Rooms />
    </AppContext>,
  );
  expect(container.textContent).toBe("none");
  act(() => {
    store.addRoom({ id: "a", name: "general" });
    for (const run of queue.splice(0)) run();
  });
  expect(container.textContent).toBe("general");
});

test("texts have the plural forms of their language, and follow its choice", () => {
  function Line() {
    return <p>{useTexts(TEXTS)("rooms", { count: 3, name: "Ann" })}</p>;
  }
  beginLanguage(["en-GB"]);
  render(<Line />);
  expect(screen.getByText("3 rooms of Ann")).toBeTruthy();
  act(() => chooseLanguage("ru"));
  expect(screen.getByText("3 комнаты у Ann")).toBeTruthy();
  expect(say(TEXTS, "rooms", { count: 21, name: "Ann" })).toBe("21 комната у Ann");
  expect(document.documentElement.lang).toBe("ru");
  expect(formatDate("2026-11-27T00:00:00", { day: "numeric", month: "long" })).toBe("27 ноября");
  chooseLanguage(null);
});

test("the language is the chosen one, or the first of the browser's that the page knows", () => {
  expect(pickLanguage("ru", ["en"])).toBe("ru");
  expect(pickLanguage(null, ["de-DE", "ru-RU", "en"])).toBe("ru");
  expect(pickLanguage(null, ["de"])).toBe("en");
  expect(pickLanguage(null, [])).toBe("en");
});
