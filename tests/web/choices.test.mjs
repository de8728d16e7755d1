/** What a user has decided about the list survives a reload, and belongs to one account. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { Choices } from "../../web/app/core/choices.ts";
import { Box, ME, YOU } from "./support.mjs";

const opened = (box, user = ME) => {
  const choices = new Choices(box);
  choices.open(user);
  return choices;
};

test("favourites and collapsed sections are there again after a reload, and for this account alone", () => {
  const box = new Box();
  const choices = opened(box);
  choices.toggleFavourite("room:a");
  choices.toggleFavourite("room:b");
  choices.toggleFavourite("room:b");
  choices.toggleCollapsed("direct");
  assert.deepEqual([...opened(box).favourites], ["room:a"]);
  assert.deepEqual([...opened(box).collapsed], ["direct"]);
  assert.deepEqual([...opened(box, YOU).favourites], []);
});

test("a change gives another set, so that views see it", () => {
  const choices = opened(new Box());
  const before = choices.favourites;
  choices.toggleFavourite("room:a");
  assert.notEqual(choices.favourites, before);
  assert.equal(before.size, 0);
});

test("without a storage, or a full one, they live as long as the page", () => {
  const full = new Box();
  full.full = true;
  for (const box of [null, full]) {
    const choices = opened(box);
    choices.toggleFavourite("room:a");
    assert.deepEqual([...choices.favourites], ["room:a"]);
  }
});

test("what cannot be read counts as nothing", () => {
  for (const text of ["", "{", "null", "[]", '{"favourites": "x", "collapsed": [1, "rooms"]}']) {
    const box = new Box();
    box.setItem(`rookery.list/${ME}`, text);
    const choices = opened(box);
    assert.deepEqual([...choices.favourites], []);
    assert.deepEqual([...choices.collapsed], text.includes("rooms") ? ["rooms"] : []);
  }
});
