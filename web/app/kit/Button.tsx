/** What one presses, with a text. */
import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components";
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
