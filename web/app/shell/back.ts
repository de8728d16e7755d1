/**
 * Back closes what lies over the page, the newest first, before it leaves the place below: on phones a sheet, a panel
 * and a room, in that order. Each thing that is open has an entry in the history, which holds how many there are.
 *
 * Rule 1: the history is changed once for all that opened and closed in one go; so a dialog that makes room for another
 * one leaves its entry to that.
 * Rule 2: an address that was gone to is a place of its own, over which nothing is open: entries below it stay.
 * Rule 3: an entry of something that is not open any more is left at once, by whichever way one came to it.
 * Rule 4: going back takes a moment, in which something else may open: nothing closes by a way back of our own.
 */
import { useEffect, useRef } from "react";

export interface Past {
  /** How many things are open by the entry of now. */
  depth(): number;
  push(depth: number): void;
  go(delta: number): void;
}

export class BackStack {
  readonly past: Past;
  readonly later: (run: () => void) => void;
  #open: (() => void)[] = [];
  #waits = false;
  #goes = false;

  constructor(past: Past, later: (run: () => void) => void) {
    this.past = past;
    this.later = later;
  }

  /** Something opened; `close` closes it when one goes back. @returns to be called when it closed by itself */
  open(close: () => void): () => void {
    this.#open.push(close);
    this.#settleLater();
    return () => {
      this.#open = this.#open.filter((one) => one !== close);
      this.#settleLater();
    };
  }

  /** The browser went to another entry of the history. */
  moved(): void {
    const depth = this.past.depth();
    while (!this.#goes && this.#open.length > depth) this.#open.pop()?.(); // rule 4
    this.#goes = false;
    this.#settleLater(); // rule 3
  }

  // rule 1
  #settleLater(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.later(() => {
      this.#waits = false;
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#goes) return;
    const depth = this.past.depth(); // rule 2: it is 0 at a new address
    for (let next = depth + 1; next <= this.#open.length; next += 1) this.past.push(next);
    if (depth <= this.#open.length) return;
    this.#goes = true;
    this.past.go(this.#open.length - depth);
  }
}

const PHONE = "(max-width: 720px)";
let stack: BackStack | null = null;

/** On a phone, Back closes this; elsewhere nothing changes. @returns to be called when it closed by itself */
export function closeByBack(close: () => void): () => void {
  if (!matchMedia(PHONE).matches) return () => {};
  stack ??= makeStack();
  return stack.open(close);
}

/** What is drawn closes by Back on a phone, as long as it is drawn. */
export function useCloseByBack(close: () => void): void {
  const latest = useRef(close);
  useEffect(() => {
    latest.current = close;
  });
  useEffect(() => closeByBack(() => latest.current()), []);
}

/** The same for what stands within something that a library opens. */
export function ClosesByBack({ close }: { close: () => void }): null {
  useCloseByBack(close);
  return null;
}

function makeStack(): BackStack {
  const past: Past = {
    depth: () => Number(history.state?.depth ?? 0),
    push: (depth) => history.pushState({ depth }, ""),
    go: (delta) => history.go(delta),
  };
  const made = new BackStack(past, (run) => setTimeout(run));
  addEventListener("popstate", () => made.moved());
  return made;
}
