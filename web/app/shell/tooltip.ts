/** What lies over the page and keeps Escape for itself. */
const OVERLAYS = "[role=dialog], [role=alertdialog], [role=menu], [role=listbox], dialog[open]";

/** Whether a tooltip tells about an element that has the focus, and nothing else that Escape closes is open. */
export function hasTooltipAlone(focused: Element | null): boolean {
  const ids = focused?.getAttribute("aria-describedby")?.split(" ") ?? [];
  const isTold = ids.some((id) => document.getElementById(id)?.getAttribute("role") === "tooltip");
  return isTold && !document.querySelector(OVERLAYS);
}
