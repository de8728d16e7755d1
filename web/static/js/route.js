/**
 * The address after `#`: which conversation is open, and at which message. Pure.
 *
 * @typedef {{kind: "room" | "dm", id: string, seq: number | null} | {kind: "home"} | {kind: "invite", token: string}} Route
 */
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const invite = /^#invite=([A-Za-z0-9_\-.~]{1,512})$/.exec(hash);
  if (invite) return { kind: "invite", token: invite[1] };
  const [, where, id, seq] = hash.split("/");
  if (!["room", "person"].includes(where) || !ID.test(id ?? "")) return { kind: "home" };
  return {
    kind: where === "room" ? "room" : "dm",
    id: id.toLowerCase(),
    seq: /^[1-9]\d{0,14}$/.test(seq ?? "") ? Number(seq) : null,
  };
}

/** @param {"room" | "dm"} kind @param {string} id @param {number | null} [seq] */
export function routeTo(kind, id, seq = null) {
  return `#/${kind === "room" ? "room" : "person"}/${id}${seq === null ? "" : `/${seq}`}`;
}
