/** Where the arrow keys lead in the picker. Pure. */

/** As many emoji stand in a line, on desktops and on phones. */
export const COLUMNS = 8;

/**
 * The index of the emoji to which a key leads, counted through all groups.
 * @param sizes how many emoji each group has, from top to bottom; each group begins a line
 * @param index where one is; null for nowhere yet
 * @returns null for a key that leads nowhere
 */
export function moveInGroups(sizes: readonly number[], index: number | null, key: string): number | null {
  const count = sizes.reduce((sum, size) => sum + size, 0);
  if (!count) return null;
  if (index === null) return key === "ArrowDown" || key === "ArrowUp" ? 0 : null;
  if (key === "ArrowLeft") return Math.max(0, index - 1);
  if (key === "ArrowRight") return Math.min(count - 1, index + 1);
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key === "ArrowDown") return moveLines(sizes, index, 1);
  if (key === "ArrowUp") return moveLines(sizes, index, -1);
  if (key === "PageDown") return moveTimes(sizes, index, 1);
  return key === "PageUp" ? moveTimes(sizes, index, -1) : null;
}

/** How many lines the keys that turn pages move. */
const PAGE = 5;

function moveTimes(sizes: readonly number[], index: number, by: 1 | -1): number {
  let at = index;
  for (let line = 0; line < PAGE; line += 1) at = moveLines(sizes, at, by);
  return at;
}

/** One line up or down; a line that is too short is entered at its end. The first and the last line are kept. */
function moveLines(sizes: readonly number[], index: number, by: 1 | -1): number {
  const lines: { first: number; count: number }[] = [];
  let first = 0;
  for (const size of sizes) {
    for (let at = 0; at < size; at += COLUMNS) lines.push({ first: first + at, count: Math.min(COLUMNS, size - at) });
    first += size;
  }
  const line = lines.findIndex((each) => index < each.first + each.count);
  const column = index - (lines[line]?.first ?? 0);
  const next = lines[line + by];
  return next ? next.first + Math.min(column, next.count - 1) : index;
}
