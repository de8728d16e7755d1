/** Back on phones, within what the library's own triggers open: a menu, or the list of a field. */
import { useContext } from "react";
import { OverlayTriggerStateContext, SelectStateContext } from "react-aria-components";
import { ClosesByBack } from "../shell/back.ts";

/** Closes the popover around it. */
export function ClosesAround() {
  return <ClosesWhileOpen state={useContext(OverlayTriggerStateContext)} />;
}

/** Closes the list of the field around it. The library also draws it where no field is, to know the options. */
export function ClosesSelect() {
  return <ClosesWhileOpen state={useContext(SelectStateContext)} />;
}

function ClosesWhileOpen({ state }: { state: { isOpen: boolean; close: () => void } | null }) {
  return state?.isOpen ? <ClosesByBack close={() => state.close()} /> : null;
}
