// What the two Node contestants share: who may come in, the rooms, and what a message looks like.
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";

import { jwtVerify } from "jose";

const HISTORY = 1000;
const key = createPublicKey(readFileSync(process.env.PUBLIC_KEY));

export const PORT = Number(process.env.PORT);
export const PING_MS = 1000 * Number(process.env.PING_SECONDS ?? 25);
export const DEFLATE = process.env.DEFLATE === "1";

/** The user that a token names. Throws when its signature or its time is wrong. */
export async function checkToken(token) {
  const { payload } = await jwtVerify(token, key, { algorithms: ["EdDSA"], requiredClaims: ["exp", "sub"] });
  return { id: payload.sub, name: payload.name };
}

const newest = new Map();
const histories = new Map();

/** Number a message, keep it in the room's history, and return its event. */
export function recordMessage(user, command) {
  const { room, text, client_id } = command;
  const seq = (newest.get(room) ?? 0) + 1;
  newest.set(room, seq);
  const event = { type: "message", room, seq, sender: user, text, ts: new Date().toISOString(), client_id, mentions: [] };
  const history = histories.get(room) ?? [];
  histories.set(room, history);
  history.push(event);
  if (history.length > HISTORY) history.shift();
  return event;
}

/** What came after `since`; nothing when it is not given. */
export function readHistory(room, since) {
  return since === undefined ? [] : (histories.get(room) ?? []).filter((event) => event.seq > since);
}
