/** The history of this window, and what closes by Back on phones: `BackStack` has the rules. */
import { useEffect, useRef } from "react";
import { BackStack, type Entry, type Past } from "./backStack.ts";

const PHONE = "(max-width: 720px)";
let stack: BackStack | null = null;

/** The one of this window. */
export function backStack(): BackStack {
  stack ??= makeStack();
  return stack;
}

/** On a phone, Back closes this; elsewhere nothing changes. @returns to be called when it closed by itself */
export function closeByBack(close: () => void): () => void {
  return backStack().open({ close });
}

/** What is drawn closes by Back on a phone, as long as it is drawn. */
export function useCloseByBack(close: () => void): void {
  const latest = useRef(close);
  useEffect(() => {
    latest.current = close;
  });
  useEffect(() => {
    const closed = closeByBack(() => latest.current());
    return () => closed();
  }, []);
}

/** The same for what stands within something that a library opens. */
export function ClosesByBack({ close }: { close: () => void }): null {
  useCloseByBack(close);
  return null;
}

function isEntry(state: unknown): state is Entry {
  return typeof (state as Partial<Entry> | null)?.index === "number";
}

function makeStack(): BackStack {
  const past: Past = {
    entry: () => (isEntry(history.state) ? history.state : null),
    address: () => location.hash,
    length: () => history.length,
    push: (entry, address) => history.pushState(entry, "", address || undefined),
    replace: (entry, address) => history.replaceState(entry, "", address || undefined),
    go: (delta) => history.go(delta),
  };
  const phone = globalThis.matchMedia?.(PHONE);
  const later = (run: () => void, ms = 0) => void setTimeout(run, ms);
  const made = new BackStack(past, later, () => phone?.matches ?? false);
  addEventListener("popstate", () => made.moved());
  addEventListener("hashchange", () => made.moved());
  phone?.addEventListener("change", () => made.settleLater());
  return made;
}
