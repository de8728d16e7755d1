/** What one presses, with an icon whose name a tooltip tells. Apart from `Button`: a tooltip needs what places overlays. */
import { Button as AriaButton, type ButtonProps as AriaProps, Tooltip, TooltipTrigger } from "react-aria-components";
import styles from "./Button.module.css";
import { Icon } from "./Icon.tsx";

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
