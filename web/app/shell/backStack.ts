/**
 * Back: what lies over the page closes first, the newest before the others; then one is at the place before.
 *
 * Each entry of the history says where it stands: its `index`, its `level` (how many entries of the same place are below
 * it) and its `depth` (how many layers are open at it). A spare entry has a level above its depth: a layer had it that
 * has closed by itself.
 *
 * A way through the history that a page asks for takes a moment, and browsers differ in what else happens then: it ends
 * where it was to end, although another address was gone to meanwhile, or never ends. So nothing waits for one.
 *
 * Rule 1: a layer takes a spare entry or adds one, and leaves it as a spare one. Nothing goes back because it closed.
 * Rule 2: a step back within a place closes the newest layer. With none open it leads on, to the place before.
 * Rule 3: an address that was gone to is a place of its own, over which nothing is open. Where the page leads there, it
 *   takes the entry of a layer, so that no spare one stays.
 * Rule 4: a way of rule 2 that ends after another address was gone to is undone: that address is gone to again.
 * Rule 5: an entry is rewritten at once when one comes to it, and once for all that opens and closes in one go.
 * Rule 6: a layer may have an address of its own. Who comes to that otherwise than by a step back gets the layer again.
 * Rule 7: who leaves a place for the one below it goes back there, so that the next step back does not lead into it again.
 */

/** What an entry of the history holds. */
export interface Entry {
  index: number;
  level: number;
  depth: number;
  /** The address without the layer that has this one. */
  below?: string;
  /** The address of the place below this one, if it is known. */
  from?: string;
}

/** The browser's history. */
export interface Past {
  /** Of the entry of now; null for an address that the user or a link has gone to. */
  entry(): Entry | null;
  address(): string;
  length(): number;
  push(entry: Entry, address: string): void;
  replace(entry: Entry, address: string): void;
  go(delta: number): void;
}

export interface Layer {
  /** One went back. */
  close(): void;
  /** Another address was gone to; without this, it closes then too. */
  leave?(): void;
  /** Its address, and the one without it. Such a layer has an entry on desktops too. */
  tab?: { address: string; below: string };
}

interface Opened {
  layer: Layer;
  hasEntry: boolean;
}

/** After this time, a way back of our own has ended, or has been given up by the browser. */
const WAY_MS = 1000;

/** The index of the first entry of a place. */
function placeOf({ index, level }: Entry): number {
  return index - level;
}

export class BackStack {
  readonly #past: Past;
  readonly #later: (run: () => void, ms?: number) => void;
  readonly #isPhone: () => boolean;
  #at: Entry;
  /** Where one was when the user went to another address. */
  #before: Entry | null = null;
  #opened: Opened[] = [];
  #waits = false;
  /** A layer with an address has closed, whose address is not to stay. */
  #drops = false;
  /** A way back of our own, and the address that was gone to since. */
  #way: { by: number; to: number } | null = null;
  #since: string | null = null;

  constructor(past: Past, later: (run: () => void, ms?: number) => void, isPhone: () => boolean) {
    [this.#past, this.#later, this.#isPhone] = [past, later, isPhone];
    this.#at = { level: 0, index: past.length() - 1, ...past.entry(), depth: 0 };
    past.replace(this.#at, past.address());
  }

  /** Names the place where one is, as long as one is there. */
  get place(): number {
    return placeOf(this.#known());
  }

  /** Whether the address is that of a layer, without which there is another one. */
  get isTab(): boolean {
    return this.#known().below !== undefined;
  }

  /** Something opened. @returns to be called when it closed by itself; `keeps` its address, if it has one */
  open(layer: Layer): (keeps?: boolean) => void {
    this.#known();
    const one: Opened = { layer, hasEntry: false };
    this.#opened.push(one);
    this.settleLater();
    return (keeps = false) => {
      if (!this.#opened.includes(one)) return;
      this.#opened = this.#opened.filter((other) => other !== one);
      if (layer.tab && !keeps) this.#drops = true;
      this.settleLater();
    };
  }

  /** Go to another address. */
  visit(address: string): void {
    const { index, level, below } = this.#known();
    const takes = level > 0 && (below === undefined || this.#drops);
    const next = { index: takes ? index : index + 1, level: 0, depth: 0, from: below ?? this.#past.address() };
    this.#past[takes ? "replace" : "push"](next, address); // rule 3
    this.#arrive(next, address);
  }

  /** Leave what is here for this address: back, if that is the place below (rule 7). @returns whether one is there now */
  leaveFor(address: string): boolean {
    const goesBack = this.#known().from === address;
    if (!goesBack) this.visit(address);
    else if (!this.#way) this.#leadOn();
    return !goesBack;
  }

  /** An address that was just gone to is that of a layer over the place where one was. @returns whether it can be */
  join(below: string): boolean {
    const { index, level } = this.#known();
    if (level > 0 || this.#before?.index !== index - 1) return false;
    const { from } = this.#before;
    this.#at = { index, level: this.#before.level + 1, depth: 0, below, ...(from === undefined ? {} : { from }) };
    this.#past.replace(this.#at, this.#past.address());
    return true;
  }

  /** What is here gets another address, and is another place. */
  rename(address: string): void {
    const { index, level, from } = this.#known();
    const next = { index, level: 0, depth: 0, ...(from !== undefined && level === 0 ? { from } : {}) };
    this.#past.replace(next, address);
    this.#arrive(next, address);
  }

  /** Put another place below the one that is here. */
  putBelow(address: string): void {
    const [at, here] = [this.#known(), this.#past.address()];
    this.#past.replace(at, address);
    this.visit(here);
  }

  /** The browser may have come to another entry of the history. */
  moved(): void {
    const [from, found] = [this.#at, this.#past.entry()];
    if (!found) {
      const next = { index: from.index + 1, level: 0, depth: 0 };
      this.#past.replace(next, this.#past.address());
      this.#before = from;
      return this.#arrive(next, this.#past.address());
    }
    if (found.index === from.index && found.level === from.level) return;
    // Chromium goes where the way led when it was asked for, Firefox as far from where one is by then.
    const isOurs = this.#way && [this.#way.to, from.index + this.#way.by].includes(found.index);
    const again = isOurs ? this.#since : null;
    [this.#at, this.#way, this.#since] = [found, null, null];
    if (again !== null) return this.#return(again);
    if (placeOf(found) !== placeOf(from)) return this.#arrive(found);
    this.#step(from.index - found.index);
  }

  /** Write what is open, once for all that happens until then. */
  settleLater(): void {
    if (this.#waits) return;
    this.#waits = true; // rule 5
    this.#later(() => {
      this.#waits = false;
      this.#known();
      this.#settle();
    });
  }

  /** Where one is, also if the browser has not told yet that one has come there. */
  #known(): Entry {
    const entry = this.#past.entry();
    if (entry?.index !== this.#at.index || entry.level !== this.#at.level) this.moved();
    return this.#at;
  }

  /** One is at another place. @param address if that was gone to */
  #arrive(at: Entry, address?: string): void {
    this.#at = at;
    this.#drops = false;
    if (this.#way && address !== undefined) this.#since = address;
    const left = this.#opened.filter((one) => one.hasEntry || one.layer.tab || this.#isPhone());
    this.#opened = this.#opened.filter((one) => !left.includes(one));
    for (const { layer } of left.reverse()) layer.leave ? layer.leave() : layer.close();
    this.#settle();
  }

  /** Rule 4: what is open belongs to the address that one was led away from. */
  #return(address: string): void {
    this.#at = { index: this.#at.index + 1, level: 0, depth: 0 };
    this.#past.push(this.#at, address);
    this.#settle();
  }

  /** Rule 2. @param by how many entries; less than zero is forward */
  #step(by: number): void {
    const open = this.#opened.filter((one) => one.hasEntry);
    const closing = by > 0 ? open.slice(-by).reverse() : [];
    this.#opened = this.#opened.filter((one) => !closing.includes(one));
    this.#drops = by > 0; // rule 6
    this.#settle();
    for (const { layer } of closing) layer.close();
    if (by < 0 || open.length > 0) return;
    this.#leadOn();
  }

  #leadOn(): void {
    const by = -this.#at.level - 1;
    const way = { by, to: this.#at.index + by };
    this.#way = way;
    this.#past.go(by);
    this.#later(() => {
      if (this.#way === way) [this.#way, this.#since] = [null, null];
    }, WAY_MS);
  }

  #settle(): void {
    for (const one of this.#opened) one.hasEntry ||= this.#isPhone() || one.layer.tab !== undefined;
    const open = this.#opened.filter((one) => one.hasEntry).map(({ layer }) => layer);
    this.#write(open.slice(0, this.#at.level));
    while (this.#at.level < open.length) this.#add(open.slice(0, this.#at.level + 1));
    this.#drops = false;
  }

  /** Rule 1: the entry of now is that of these layers. */
  #write(open: Layer[]): void {
    const { index, level, below, from } = this.#at;
    const tab = open.findLast((layer) => layer.tab)?.tab;
    const address = tab?.address ?? (this.#drops ? below : undefined) ?? this.#past.address();
    const stays = tab?.below ?? (this.#drops ? undefined : below);
    this.#at = {
      index,
      level,
      depth: open.length,
      ...(stays === undefined ? {} : { below: stays }),
      ...(from === undefined ? {} : { from }),
    };
    this.#past.replace(this.#at, address);
  }

  #add(open: Layer[]): void {
    const tab = open.findLast((layer) => layer.tab)?.tab;
    const { index, level, from } = this.#at;
    this.#at = {
      index: index + 1,
      level: level + 1,
      depth: open.length,
      ...(tab ? { below: tab.below } : {}),
      ...(from === undefined ? {} : { from }),
    };
    this.#past.push(this.#at, tab?.address ?? this.#past.address());
  }
}
