/** The emoji picker: groups, search, arrow keys, colours of skin, those used lately. */
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { EmojiPicker } from "../../web/app/emoji/EmojiPicker.tsx";
import { COLUMNS, moveInGroups } from "../../web/app/emoji/moves.ts";
import { Recents } from "../../web/app/emoji/recents.ts";
import { beginLanguage, chooseLanguage } from "../../web/app/texts.ts";
import { Box } from "./support.mjs";

// Two thousand emoji take a busy machine seconds to draw without a browser.
vi.setConfig({ testTimeout: 60_000 });

let picked: string[];
let recents: Recents;

beforeEach(() => {
  picked = [];
  recents = new Recents(new Box(), "ann");
  beginLanguage(["en"]);
});

async function open() {
  render(<EmojiPicker recents={recents} onPick={(text) => picked.push(text)} />);
  return screen.findByTestId("emoji-search", {}, { timeout: 5000 });
}

// Queries by role look at each of two thousand emoji, so those of one alone go by the text.
const options = () => [...document.querySelectorAll<HTMLElement>('[role="option"]')];
const option = (name: string) => options().find((one) => one.ariaLabel === name || one.getAttribute("aria-label") === name)!;

test("a click takes an emoji, and the next time it is among those used lately", async () => {
  await open();
  await userEvent.click(option("rocket"));
  expect(picked).toEqual(["🚀"]);
  expect(recents.list()[0]).toBe("🚀");
});

test("the search finds in both languages, and Enter takes the best", async () => {
  const field = await open();
  for (const query of ["rocket", "ракета"]) {
    await userEvent.clear(field);
    await userEvent.type(field, query);
    await waitFor(() => expect(options()[0]?.textContent).toBe("🚀"));
    await userEvent.keyboard("{Enter}");
  }
  expect(picked).toEqual(["🚀", "🚀"]);
});

test("a search without a hit says so", async () => {
  await userEvent.type(await open(), "xyzzy");
  expect(await screen.findByText("No emoji has this name. Try another word.")).toBeTruthy();
  await userEvent.keyboard("{Enter}");
  expect(picked).toEqual([]);
});

test("arrow keys lead over the emoji while the focus stays in the field", async () => {
  const field = await open();
  await userEvent.keyboard("{ArrowDown}{ArrowRight}");
  const active = () => document.getElementById(field.getAttribute("aria-activedescendant") ?? "");
  expect(document.activeElement).toBe(field);
  expect(active()?.textContent).toBe(recents.list()[1]);
  await userEvent.keyboard("{ArrowDown}");
  expect(active()?.textContent).toBe("😃");
  await userEvent.keyboard("{Enter}");
  expect(picked).toEqual(["😃"]);
});

test("a colour of skin is kept, and given to those emoji that have one", async () => {
  await open();
  await userEvent.click(screen.getByTestId("emoji-tone"));
  await userEvent.click(screen.getByLabelText("dark"));
  expect(recents.tone).toBe(5);
  await userEvent.click(option("waving hand"));
  await userEvent.click(option("rocket"));
  expect(picked).toEqual(["👋🏿", "🚀"]);
});

test("is in Russian where the page is", async () => {
  chooseLanguage("ru");
  render(<EmojiPicker recents={recents} onPick={() => {}} />);
  expect((await screen.findByTestId("emoji-search")).getAttribute("aria-label")).toBe("Найти эмодзи");
  expect(option("ракета").closest('[role="group"]')?.getAttribute("aria-label")).toBe("Путешествия и места");
  act(() => chooseLanguage(null));
});

test("keys move within the lines of groups", () => {
  const sizes = [3, COLUMNS + 1, 2];
  expect(moveInGroups(sizes, null, "ArrowDown")).toBe(0);
  expect(moveInGroups(sizes, null, "ArrowRight")).toBeNull();
  expect(moveInGroups(sizes, 2, "ArrowDown")).toBe(5);
  expect(moveInGroups(sizes, 5, "ArrowDown")).toBe(3 + COLUMNS);
  expect(moveInGroups(sizes, 3 + COLUMNS, "ArrowDown")).toBe(3 + COLUMNS + 1);
  expect(moveInGroups(sizes, 10, "ArrowUp")).toBe(2);
  expect(moveInGroups(sizes, 0, "ArrowUp")).toBe(0);
  expect([moveInGroups(sizes, 0, "End"), moveInGroups(sizes, 5, "Home")]).toEqual([13, 0]);
  expect(moveInGroups(sizes, 0, "PageDown")).toBe(12);
  expect(moveInGroups([], null, "ArrowDown")).toBeNull();
});
