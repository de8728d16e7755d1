/** Looks, language and emoji that the devices of a user share; and what a page opened without a connection asks later. */
import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";
import { appearanceIn, readAppearance } from "../../web/app/appearance.ts";
import { AppContext } from "../../web/app/context.ts";
import { LanguageChoice, Looks } from "../../web/app/settings/Looks.tsx";
import { followShared, openRecents } from "../../web/app/shared.ts";
import { beginLanguage, chosenLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";
import { settle } from "./support.mjs";

let page: TestPage;
let kept: { revision: number; content: string };
let end = () => {};

beforeEach(() => {
  localStorage.clear();
  beginLanguage(["en"]);
  kept = { revision: 0, content: "" };
  page = new TestPage(undefined, undefined, (run: () => void) => run());
  const answer = page.rest.answer.bind(page.rest);
  page.rest.answer = (method: string, path: string, body: typeof kept) => {
    if (path !== "/api/preferences") return answer(method, path, body);
    if (method === "PUT") kept = { revision: body.revision + 1, content: body.content };
    return kept;
  };
  end = followShared(page.app);
});
afterEach(() => end());

const share = (sections: object) => {
  kept = { revision: kept.revision + 1, content: JSON.stringify(sections) };
};
const content = () => JSON.parse(kept.content);
const signIn = () => act(() => page.signedIn());

test("what another device chose is here after the log-in, and live", async () => {
  share({ looks: { theme: "dark", textSize: "125" }, language: { chosen: "ru" }, emoji: { used: ["🚀"], tone: 2 } });
  await signIn();
  expect(readAppearance()).toEqual({ theme: "dark", density: "compact", textSize: "125" });
  expect(document.documentElement.lang).toBe("ru");
  expect([openRecents(page.app).list()[0], openRecents(page.app).tone]).toEqual(["🚀", 2]);
  render(
    <AppContext value={page.app}>
      <Looks />
      <LanguageChoice />
    </AppContext>,
  );
  share({ looks: { theme: "contrast" }, language: { chosen: null } });
  await act(async () => {
    page.socket.say({ type: "preferences", revision: kept.revision });
    await settle();
  });
  expect(screen.getByRole<HTMLInputElement>("radio", { name: "High contrast" }).checked).toBe(true);
  expect(screen.getByRole<HTMLInputElement>("radio", { name: "As the browser" }).checked).toBe(true);
  expect(document.documentElement.dataset.theme).toBe("contrast");
});

test("what is chosen here goes to the others, and what this build does not know stays", async () => {
  share({ looks: { theme: "sepia", shadows: 3 }, language: { chosen: "tlh", region: "x" }, sounds: [1] });
  await signIn();
  expect(readAppearance().theme).toBe("system");
  expect(chosenLanguage()).toBeNull();
  render(
    <AppContext value={page.app}>
      <Looks />
    </AppContext>,
  );
  await userEvent.click(screen.getByRole("radio", { name: "Comfortable" }));
  openRecents(page.app).chooseTone(4);
  openRecents(page.app).use("🚀");
  await page.clock.pass(5_000);
  expect(content()).toEqual({
    looks: { theme: "sepia", shadows: 3, density: "comfortable" },
    language: { chosen: "tlh", region: "x" },
    sounds: [1],
    emoji: { used: ["🚀"], tone: 4 },
  });
});

test("the same language may be chosen, or the browser's", async () => {
  await signIn();
  render(
    <AppContext value={page.app}>
      <LanguageChoice />
    </AppContext>,
  );
  await userEvent.click(screen.getByRole("radio", { name: "English" }));
  expect(screen.getByRole<HTMLInputElement>("radio", { name: "English" }).checked).toBe(true);
  expect(content()).toEqual({ language: { chosen: "en" } });
});

test("of what another build shared, only what is known is taken", () => {
  expect(appearanceIn({ theme: "sepia", density: 7, textSize: "150", else: 1 })).toEqual({ textSize: "150" });
});
