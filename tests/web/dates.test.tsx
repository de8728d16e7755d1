/** The choice of a day of a conversation, and the command that opens it. */
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import JumpToDate from "../../web/app/dates/JumpToDate.tsx";
import { Navigation } from "../../web/app/shell/navigation.ts";
import { ALL_COMMANDS } from "../../web/app/switcher/commands.ts";
import { beginLanguage } from "../../web/app/texts.ts";
import { TestPage } from "./page.mjs";

const picked: number[] = [];
let closed = 0;

beforeEach(() => {
  picked.length = closed = 0;
  beginLanguage(["en"]);
});

function show(day: string | null, from: string | null = null) {
  render(
    <JumpToDate
      at={null}
      day={day}
      from={from}
      onPick={(since) => picked.push(since)}
      onClose={() => {
        closed += 1;
      }}
    />,
  );
  return screen.getByRole("dialog", { name: /date|дате/ });
}

const MAY = new Date(2026, 4, 20, 15).toISOString();

test("begins at the day on the screen, and Enter shows that day", async () => {
  const dialog = show(MAY);
  expect(within(dialog).getByRole("application", { name: /The day to show/ })).toBeTruthy();
  expect(document.activeElement?.getAttribute("aria-label")).toMatch(/May 20, 2026/);
  await userEvent.keyboard("{Enter}");
  expect([picked, closed]).toEqual([[new Date(2026, 4, 20).getTime()], 1]);
});

test("arrows go through days, and Page Up to the month before", async () => {
  show(MAY);
  await userEvent.keyboard("{PageUp}{ArrowRight}{Enter}");
  expect(picked).toEqual([new Date(2026, 3, 21).getTime()]);
});

test("any month of any year is two choices away", async () => {
  const dialog = show(MAY);
  await userEvent.selectOptions(within(dialog).getByRole("combobox", { name: /year/i }), "2024");
  await userEvent.selectOptions(within(dialog).getByRole("combobox", { name: /month/i }), "May");
  await userEvent.click(within(dialog).getByLabelText(/May 20, 2024/));
  expect(picked).toEqual([new Date(2024, 4, 20).getTime()]);
});

test("another year keeps the month and the day, as far as it has them", async () => {
  const dialog = show(new Date(2024, 1, 29, 15).toISOString(), new Date(2022, 3, 5).toISOString());
  const year = within(dialog).getByRole("combobox", { name: /year/i });
  const month = () => (within(dialog).getByRole("combobox", { name: /month/i }) as HTMLSelectElement).selectedOptions[0].text;
  await userEvent.selectOptions(year, "2023");
  expect(month()).toBe("February");
  expect(within(dialog).getByLabelText(/February 28, 2023/).tabIndex).toBe(0);
  await userEvent.selectOptions(year, "2022");
  expect(month()).toBe("April"); // there is nothing before
});

test("the first message, today and yesterday are one press away", async () => {
  const dialog = show(MAY);
  for (const name of ["First message", "Today", "Yesterday"]) await userEvent.click(within(dialog).getByText(name));
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  expect(picked.slice(0, 2)).toEqual([0, midnight.getTime()]);
  expect(new Date(picked[2] ?? 0).getDate()).toBe(new Date(midnight.getTime() - 43_200_000).getDate());
});

test("no day is offered before the conversation began, or after today", () => {
  show(MAY, new Date(2026, 4, 10, 12).toISOString());
  const day = (name: RegExp) => screen.getByLabelText(name).getAttribute("aria-disabled");
  expect([day(/May 9, 2026/), day(/May 10, 2026/)]).toEqual(["true", null]);
});

test("weeks begin on Monday in Russian and in Britain, and on Sunday in America", () => {
  const first: (string | null | undefined)[] = [];
  for (const language of ["ru", "en-GB", "en-US"]) {
    beginLanguage([language]);
    Reflect.defineProperty(navigator, "languages", { value: [language], configurable: true });
    const { unmount } = render(<JumpToDate at={null} day={MAY} from={null} onPick={() => {}} onClose={() => {}} />);
    first.push(document.querySelector("th")?.textContent);
    unmount();
  }
  Reflect.deleteProperty(navigator, "languages");
  expect(first).toEqual(["пн", "Mon", "Sun"]);
});

test("the command is offered in a conversation alone", async () => {
  const page = new TestPage();
  await page.signedIn();
  const command = ALL_COMMANDS.find(({ id }) => id === "jumpToDate");
  expect(command?.isOffered?.(page.app)).toBe(false);
  page.app.openKey = page.room?.key ?? null;
  expect(command?.isOffered?.(page.app)).toBe(true);
  const navigation = new Navigation(page.app);
  let asked = 0;
  navigation.askForDay = () => {
    asked += 1;
  };
  command?.run(page.app, navigation);
  expect(asked).toBe(1);
});
