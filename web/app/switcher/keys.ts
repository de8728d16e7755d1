/** The keys of the page, for the list of them. Pure. */
import type { KEYS } from "./texts.ts";

type Name = keyof typeof KEYS.texts;

export interface Group {
  name: Name;
  /** `press`: keys that are held together have a + between them, others a blank. `Mod` is Ctrl, or ⌘ on a Mac. */
  keys: { does: Name; press: string }[];
}

export const GROUPS: readonly Group[] = [
  {
    name: "everywhere",
    keys: [
      { does: "jump", press: "Mod+K" },
      { does: "person", press: "Alt+Enter" },
      { does: "sheet", press: "?" },
      { does: "escape", press: "Esc" },
    ],
  },
  {
    name: "list",
    keys: [
      { does: "move", press: "↑ ↓" },
      { does: "ends", press: "Home End" },
      { does: "menu", press: "Shift+F10" },
    ],
  },
  {
    name: "message",
    keys: [
      { does: "reply", press: "R" },
      { does: "editThis", press: "E" },
      { does: "pin", press: "P" },
      { does: "markUnread", press: "U" },
      { does: "copyLink", press: "L" },
      { does: "copyText", press: "C" },
      { does: "delete", press: "Delete" },
    ],
  },
  {
    name: "writing",
    keys: [
      { does: "send", press: "Enter" },
      { does: "line", press: "Shift+Enter" },
      { does: "bold", press: "Mod+B" },
      { does: "italic", press: "Mod+I" },
      { does: "code", press: "Mod+E" },
      { does: "edit", press: "↑" },
      { does: "cancel", press: "Esc" },
      { does: "mention", press: "@" },
      { does: "room", press: "#" },
      { does: "emoji", press: ":" },
    ],
  },
];

const MAC: Record<string, string> = { Shift: "⇧", Alt: "⌥" };

/** The names of keys as they stand on the keyboard. */
export function keyNames(press: string, isMac: boolean): string[] {
  return press.split(/[ +]/).map((key) => {
    if (key === "Mod") return isMac ? "⌘" : "Ctrl";
    return isMac ? (MAC[key] ?? key) : key;
  });
}
