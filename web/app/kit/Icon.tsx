/** An outline in the colour of the text; its name is said by what is around it. */
import { ICONS } from "../core/icons.ts";

export function Icon({ name, size = 18 }: { name: string; size?: number }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}
