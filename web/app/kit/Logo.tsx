/** The picture of the instance. `children` stand in its place where there is none; where it is not to be had, the letter. */
import { type ReactNode, useState } from "react";
import styles from "./Logo.module.css";
import { initialOf } from "./people.ts";

/** `name` stands beside it, so the picture itself says nothing. */
export function Logo(props: { address: string | null | undefined; name: string; large?: boolean; children?: ReactNode }) {
  const { address, name, large = false, children } = props;
  const [lost, setLost] = useState("");
  if (!address) return children;
  const size = large ? styles.large : styles.small;
  if (lost === address)
    return (
      <span className={`${styles.letter} ${size}`} aria-hidden="true" data-testid="logo-letter">
        {initialOf(name)}
      </span>
    );
  // As all addresses of the page, it is below that of the page.
  return <img className={`${styles.logo} ${size}`} src={address.slice(1)} alt="" data-testid="logo" onError={() => setLost(address)} />;
}
