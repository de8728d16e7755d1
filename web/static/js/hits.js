/**
 * What a search has found, while others edit and withdraw messages. Pure.
 *
 * @typedef {import("../../types/wire.js").HistoryMessage | import("../../types/wire.js").HistoryDirectMessage} Hit
 * @typedef {Extract<import("../../types/wire.js").AnyEvent, {type: "edited" | "deleted" | "moderated"}>} Change
 */

/**
 * The hits after a change: a text that was withdrawn is not among them, and one that was edited reads as it is now.
 * @param {Hit[]} hits
 * @param {Change} change
 * @param {string} me
 * @returns {Hit[]}
 */
export function hitsAfter(hits, change, me) {
  return hits.flatMap((hit) => {
    if (!isAbout(change, hit, me)) return [hit];
    return change.type === "edited" ? [{ ...hit, text: change.text }] : [];
  });
}

/** @param {Change} change @param {Hit} hit @param {string} me */
function isAbout({ room, with: partner, seq }, hit, me) {
  if (hit.seq !== seq) return false;
  if ("room" in hit) return hit.room === room;
  return (hit.from.id === me ? hit.to : hit.from.id) === partner;
}
