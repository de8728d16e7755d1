/** What one presses: with a text, or with an icon whose name a tooltip tells. */
import { Button as AriaButton, type ButtonProps as AriaProps, Tooltip, TooltipTrigger } from "react-aria-components";
import styles from "./Button.module.css";
import { Icon } from "./Icon.tsx";

export interface ButtonProps extends Omit<AriaProps, "className" | "style" | "children"> {
  /** `plain` has no border; `quiet` looks like a link. */
  look?: "normal" | "primary" | "danger" | "plain" | "quiet";
  icon?: string;
  children: string;
  wide?: boolean;
  "data-testid"?: string;
}

export function Button({ look = "normal", icon, children, wide = false, isPending, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} isPending={isPending} className={`${styles.button} ${styles[look]} ${wide ? styles.wide : ""}`}>
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  );
}

export interface IconButtonProps extends Omit<AriaProps, "className" | "style" | "children"> {
  icon: string;
  /** What it does: its name for screen readers, and its tooltip. */
  label: string;
  isOn?: boolean;
  "data-testid"?: string;
}

export function IconButton({ icon, label, isOn, ...rest }: IconButtonProps) {
  return (
    <TooltipTrigger delay={600}>
      <AriaButton {...rest} aria-label={label} aria-pressed={isOn} className={styles.icon}>
        <Icon name={icon} />
      </AriaButton>
      <Tooltip className={styles.tooltip} offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}
