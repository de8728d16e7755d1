/** Back on phones, within what the library's own triggers open: a menu, or the list of a field. */
import { useContext } from "react";
import { OverlayTriggerStateContext } from "react-aria-components";
import { useCloseByBack } from "../shell/back.ts";

/** Closes the popover around it. */
export function ClosesAround(): null {
  const state = useContext(OverlayTriggerStateContext);
  useCloseByBack(() => state?.close());
  return null;
}
