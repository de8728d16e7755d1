/** A person's disc with the initial, and whether they are there: by a shape, and not by colour alone. */
import { useTexts } from "../texts.ts";
import { hueOf, initialOf, type PresenceState } from "./people.ts";
import styles from "./Avatar.module.css";
import { KIT } from "./texts.ts";

export function Avatar(props: { id: string; name: string; size?: "small" | "normal" | "large"; presence?: PresenceState }) {
  const { id, name, size = "normal", presence } = props;
  return (
    <span className={`${styles.box} ${styles[size]}`}>
      <span className={`${styles.disc} hue-${hueOf(id)}`} aria-hidden="true">
        {initialOf(name)}
      </span>
      {presence && <Presence state={presence} />}
    </span>
  );
}

/** Online is a full disc, away a crescent, offline a ring. */
export function Presence({ state }: { state: PresenceState }) {
  const t = useTexts(KIT);
  return (
    <span className={styles.presence} data-testid="presence-dot" data-state={state}>
      <span className="visually-hidden">{t(state)}</span>
    </span>
  );
}
