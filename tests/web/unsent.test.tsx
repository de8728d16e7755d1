/** What was not sent can still be read and copied, in the language of the page. */
import { act, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { showUnsent } from "../../web/app/conversation/unsent.tsx";
import { closeOverlays, Overlays } from "../../web/app/kit/overlays.tsx";
import { beginLanguage } from "../../web/app/texts.ts";

test.each([
  ["en", "What was not sent", "Copy"],
  ["ru", "Что не отправлено", "Копировать"],
])("what was not sent is shown, and is copied by a press (%s)", async (language, label, verb) => {
  beginLanguage([language]);
  const copied: string[] = [];
  Object.defineProperty(navigator, "clipboard", {
    configurable: true,
    value: { writeText: async (text: string) => void copied.push(text) },
  });
  render(<Overlays />);
  act(() => showUnsent("The room was deleted.", "a long thought"));
  expect(await screen.findByRole("dialog", { name: "The room was deleted." })).toBeTruthy();
  expect((screen.getByLabelText(label) as HTMLTextAreaElement).value).toBe("a long thought");
  await act(async () => screen.getByRole("button", { name: verb }).click());
  expect(copied).toEqual(["a long thought"]);
  act(closeOverlays);
});
