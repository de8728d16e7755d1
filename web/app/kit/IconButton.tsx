/** What one presses, with an icon whose name a tooltip tells. */
import { useRef } from "react";
import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components";
import styles from "./Button.module.css";
import { Icon } from "./Icon.tsx";
import { useTip } from "./useTip.tsx";

const TOLD_AFTER_MS = 600;

export interface IconButtonProps extends Omit<AriaProps, "className" | "style" | "children"> {
  icon: string;
  /** What it does: its name for screen readers, and its tooltip. */
  label: string;
  isOn?: boolean;
  "data-testid"?: string;
}

export function IconButton({ icon, label, isOn, ...rest }: IconButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  const tip = useTip(button, TOLD_AFTER_MS);
  return (
    <>
      <AriaButton
        {...rest}
        ref={button}
        aria-label={label}
        aria-pressed={isOn}
        aria-describedby={tip.describedBy}
        className={styles.icon}
        onHoverStart={tip.over}
        onHoverEnd={tip.out}
        onFocus={tip.focused}
        onBlur={tip.blurred}
        onPressStart={tip.close}
      >
        <Icon name={icon} />
      </AriaButton>
      {tip.draw(styles.tooltip, label)}
    </>
  );
}
