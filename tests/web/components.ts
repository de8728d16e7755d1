/** What is done for each test of components: nothing of one is left in the document for the next. */
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

// jsdom has none, and React Aria looks up items of a menu with it. Keys of ours need no escape but for the colon.
globalThis.CSS ??= { escape: (text: string) => text.replace(/[^\w-]/g, "\\$&") } as typeof CSS;

afterEach(cleanup);
