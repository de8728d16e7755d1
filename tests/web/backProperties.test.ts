/** Back on a phone, against a model: whatever opens, closes and is gone to, in whatever order the browser does things. */
import { expect, test } from "vitest";
import { BackStack } from "../../web/app/shell/backStack.ts";
import { FakePast, type Kind } from "./fakePast.ts";

const RUNS = 60;
const STEPS = 60;

/** Numbers that are the same for the same seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

class World {
  readonly past: FakePast;
  readonly random: (below: number) => number;
  readonly stack: BackStack;
  soon: (() => void)[] = [];
  timers: (() => void)[] = [];
  /** What is open, as the user sees it. */
  open: { name: string; closed: () => void }[] = [];
  /** The places that Back leads to, one after the other; a step may leave out what one was on the way from. */
  places: { address: string; maySkip: boolean }[] = [{ address: "#/", maySkip: false }];
  story: string[] = [];
  #names = 0;

  constructor(kind: Kind, seed: number) {
    this.past = new FakePast(kind);
    this.random = randomOf(seed);
    const later = (run: () => void, ms = 0) => void (ms ? this.timers : this.soon).push(run);
    this.stack = new BackStack(this.past, later, () => true);
    this.past.moved = () => this.stack.moved();
  }

  get here() {
    return this.places[this.places.length - 1].address;
  }

  openOne(): void {
    const name = `layer ${++this.#names}`;
    const one = { name, closed: () => {} };
    one.closed = this.stack.open({ close: () => (this.open = this.open.filter((other) => other !== one)) });
    this.open.push(one);
    this.story.push(`open ${name}`);
  }

  closeOne(): void {
    const [one] = this.open.splice(this.random(this.open.length || 1), 1);
    one?.closed();
    this.story.push(`close ${one?.name}`);
  }

  goTo(isOurs: boolean, maySkip = false): void {
    const address = `#/${++this.#names}`;
    this.story.push(`${isOurs ? "visit" : "type"} ${address}`);
    if (isOurs) this.stack.visit(address);
    else this.past.type(address);
    this.places.push({ address, maySkip });
    expect(this.open).toEqual([]);
  }

  /** The page and the browser do all that they were about to do; a second passes. */
  rest(): void {
    while (this.soon.length || this.past.ways.length) this.proceed();
    this.timers.splice(0).forEach((run) => run());
  }

  /** One thing that was to happen happens. */
  proceed(): void {
    const next = this.random(this.soon.length + this.past.ways.length);
    if (next < this.soon.length) this.soon.shift()?.();
    else this.past.land();
  }

  check(): void {
    const entry = this.past.entry();
    expect(this.past.address()).toBe(this.here);
    expect(entry?.depth).toBe(this.open.length);
    expect(entry?.level).toBeGreaterThanOrEqual(this.open.length);
  }

  /** While all rests, the place is left for the one below it, by two presses on what leads there. */
  leave(): void {
    const [below, left] = this.places.slice(-2);
    if (!left || below.maySkip || left.maySkip) return;
    this.story.push(`leave for ${below.address}`);
    const isThere = this.stack.leaveFor(below.address);
    if (isThere) this.places.push({ address: below.address, maySkip: false });
    else {
      this.stack.leaveFor(below.address);
      this.places.pop();
    }
    this.rest();
    expect(this.open).toEqual([]);
  }

  /** A press on Back while all rests. */
  back(): void {
    this.story.push("back");
    const names = this.open.map(({ name }) => name);
    this.past.press(-1);
    this.rest();
    if (names.length > 0) return expect(this.open.map(({ name }) => name)).toEqual(names.slice(0, -1));
    const left = this.places.length > 1 ? this.places.pop() : null;
    if (left?.maySkip && this.places.length > 1 && this.past.address() !== this.here) this.places.pop();
  }
}

function tell(world: World, seed: number, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Error(`seed ${seed}:\n${world.story.join("\n")}\n${error instanceof Error ? error.message : ""}`);
  }
}

test.each(["chromium", "firefox"] as const)("a press does one step, and an address that was gone to stays, in %s", (kind) => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const world = new World(kind, seed);
    const steps = [
      () => world.openOne(),
      () => world.closeOne(),
      () => [world.closeOne(), world.openOne()],
      () => world.goTo(true),
      () => world.goTo(false),
      () => [world.closeOne(), world.goTo(false)],
      () => [world.rest(), world.check(), world.back(), world.check()],
      () => [world.rest(), world.check(), world.leave(), world.check()],
      () => {
        // Somebody who has pressed Back goes elsewhere at once, while the page may be leading on.
        world.rest();
        const isLed = world.open.length === 0;
        world.past.press(-1);
        world.past.land();
        if (isLed && world.past.address() !== world.here) world.places.pop();
        world.goTo(world.random(2) === 0, true);
        world.rest();
        world.check();
      },
      () => world.proceed(),
    ];
    tell(world, seed, () => {
      for (let step = 0; step < STEPS; step += 1) steps[world.random(steps.length)]();
      world.rest();
      world.check();
      // However many spare entries there are, each place takes one press, and each layer one.
      for (let presses = world.places.length + world.open.length; presses > 1; presses -= 1) world.back();
      expect([world.open, world.past.entry()?.depth]).toEqual([[], 0]);
    });
  }
});

test.each(["chromium", "firefox"] as const)("in %s an entry tells what is open, also when presses come at any time and ways are lost", (kind) => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const world = new World(kind, seed);
    const steps = [
      () => world.openOne(),
      () => world.closeOne(),
      () => world.goTo(true),
      () => world.goTo(false),
      () => world.past.press(-1),
      () => world.past.press(-1 - world.random(3)),
      () => world.past.press(1),
      () => world.stack.leaveFor("#/"),
      () => world.past.ways.splice(0, 1),
      () => world.proceed(),
      () => world.proceed(),
    ];
    tell(world, seed, () => {
      for (let step = 0; step < STEPS; step += 1) {
        steps[world.random(steps.length)]();
        if (world.random(5) > 0) continue;
        world.rest();
        expect(world.past.entry()?.depth).toBe(world.open.length);
      }
      world.rest();
      const { open } = world;
      for (let left = open.length; left > 0; left -= 1) {
        world.past.press(-1);
        world.rest();
        expect([world.open.length, world.past.entry()?.depth]).toEqual([left - 1, left - 1]);
      }
      world.goTo(false);
      world.rest();
      expect(world.past.address()).toBe(world.here);
    });
  }
});
