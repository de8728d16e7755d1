/** A tooltip: its look and its place. What needs one shows it by `useTip`. */
import type { ReactNode, RefObject } from "react";
import { Tooltip, TooltipTriggerStateContext } from "react-aria-components";

const OFFSET_PX = 6;

interface Props {
  readonly id: string;
  /** What it tells about. */
  readonly at: RefObject<Element | null>;
  readonly className: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
}

export function Tip({ id, at, className, children, onClose }: Props) {
  const state = { isOpen: true, shouldSkipAnimation: true, open: () => {}, close: onClose };
  const named = { id }; // which the types of React Aria do not know of
  return (
    <TooltipTriggerStateContext value={state}>
      <Tooltip {...named} triggerRef={at} isOpen className={className} offset={OFFSET_PX}>
        {children}
      </Tooltip>
    </TooltipTriggerStateContext>
  );
}
