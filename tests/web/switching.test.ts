/** What the field of Ctrl+K offers, and which keys open it. */
import { describe, expect, test } from "vitest";
import { findCommands, findPlaces, readQuery, type Sources } from "../../web/app/switcher/entries.ts";
import { GROUPS, keyNames } from "../../web/app/switcher/keys.ts";
import { overlayFor } from "../../web/app/switcher/overlay.ts";

const place = (kind: "room" | "dm", name: string, lastAt = "") => {
  return { key: `${kind}:${name}`, kind, id: name, name, visibility: "public", unread: 0, lastAt };
};
const sources = (more: Partial<Sources> = {}): Sources => ({
  me: "me",
  openKey: null,
  conversations: [place("room", "general", "2"), place("room", "corporate", "1"), place("dm", "boris", "3")],
  people: [
    ["boris", { name: "boris" }],
    ["vera", { name: "vera.lis", display_name: "Вера Лис" }],
    ["me", { name: "ann" }],
  ],
  rooms: [
    { id: "general", name: "general" },
    { id: "games", name: "games" },
  ],
  commands: [{ id: "newRoom", name: "New room", icon: "plus" }],
  ...more,
});
const names = (typed: string, more: Partial<Sources> = {}) =>
  findPlaces(typed, sources(more), 9).map(({ entry }) => `${entry.kind} ${entry.name}`);

describe("places", () => {
  test("without a query are the last used conversations, but for the open one", () => {
    expect(names("")).toEqual(["conversation boris", "conversation general", "conversation corporate"]);
    expect(names("", { openKey: "dm:boris" })).toEqual(["conversation general", "conversation corporate"]);
  });

  test("are rooms, people and public rooms that the user is not in, each once and never oneself", () => {
    expect(names("g")).toEqual(["conversation general", "join games"]);
    expect(names("bor")).toEqual(["conversation boris"]);
    expect(names("ann")).toEqual([]);
  });

  test("are found by a display name, by the handle, and on the wrong layout", () => {
    expect(names("лис")).toEqual(["person Вера Лис"]);
    expect(names("vera.l")).toEqual(["person Вера Лис"]);
    expect(names("kbc")).toEqual(["person Вера Лис"]);
    expect(names("сщкзщкфеу")).toEqual(["conversation corporate"]);
  });

  test("are rooms alone after #, and people alone after @", () => {
    expect(names("#")).toEqual(["conversation general", "conversation corporate", "join games"]);
    expect(names("@o")).toEqual(["conversation boris"]);
    expect(names(">new")).toEqual([]);
  });
});

test("commands are found by their words, all after >, and none without a query", () => {
  const found = (typed: string) => findCommands(typed, sources(), 9).map(({ entry }) => entry.name);
  expect(found("room")).toEqual(["New room"]);
  expect(found(">")).toEqual(["New room"]);
  expect(found("")).toEqual([]);
  expect(found("#room")).toEqual([]);
  expect(readQuery(" > new ")).toEqual({ wanted: "commands", query: "new" });
});

describe("keys", () => {
  const press = (key: string, more = {}) => {
    return { key, code: "", ctrlKey: false, metaKey: false, altKey: false, keyCode: 0, isComposing: false, ...more };
  };

  test("Ctrl+K and ⌘K open the field, on any layout and while one writes", () => {
    expect(overlayFor(press("k", { ctrlKey: true }), true)).toBe("switcher");
    expect(overlayFor(press("л", { code: "KeyK", metaKey: true }), false)).toBe("switcher");
    expect(overlayFor(press("k"), false)).toBeNull();
    expect(overlayFor(press("k", { ctrlKey: true, altKey: true }), false)).toBeNull();
  });

  test("? opens the list of keys, but not while one writes", () => {
    expect(overlayFor(press("?"), false)).toBe("keys");
    expect(overlayFor(press("?"), true)).toBeNull();
    expect(overlayFor(press("?", { isComposing: true }), false)).toBeNull();
    expect(overlayFor(press("/", { ctrlKey: true }), true)).toBe("keys");
  });

  test("have the names that stand on the keyboard", () => {
    expect(keyNames("Mod+K", false)).toEqual(["Ctrl", "K"]);
    expect(keyNames("Mod+K", true)).toEqual(["⌘", "K"]);
    expect(keyNames("Home End", false)).toEqual(["Home", "End"]);
    for (const { keys } of GROUPS) expect(new Set(keys.map(({ does }) => does)).size).toBe(keys.length);
  });
});
