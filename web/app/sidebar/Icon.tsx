/** An icon of `core/icons`, in the colour of the text around it. It says nothing: what it stands in has a name. */
import { ICONS } from "../core/icons.js";

export function Icon({ name, className = "icon" }: { name: string; className?: string }) {
  return (
    <svg className={className} viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}
