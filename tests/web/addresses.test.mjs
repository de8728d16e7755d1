import { test } from "vitest";
import assert from "node:assert/strict";
import { restUrl, socketUrl } from "../../web/app/core/addresses.ts";

const PAGES = [
  ["https://example.org/", "https://example.org"],
  ["https://example.org/#/room/1", "https://example.org"],
  ["https://example.org/chat/", "https://example.org/chat"],
  ["https://example.org/a/b/?x=/y#/room/1/7", "https://example.org/a/b"],
  ["https://example.org/chat/index.html#/", "https://example.org/chat"],
  ["http://[::1]:8000/chat/", "http://[::1]:8000/chat"],
];

for (const [page, root] of PAGES) {
  test(`${page} finds REST and the edge beside it`, () => {
    assert.equal(restUrl(page, "/api/rooms?public=1"), `${root}/api/rooms?public=1`);
    assert.equal(socketUrl(page, ""), `${root.replace("http", "ws")}/ws`);
    assert.equal(socketUrl(page, "wss://edge.example.org/ws"), "wss://edge.example.org/ws");
    assert.equal(socketUrl(page, "https://edge.example.org/ws"), "wss://edge.example.org/ws");
  });
}
