import { ICONS } from "../core/icons.js";

export function Icon({ name }: { name: string }) {
  return (
    <svg className="icon" aria-hidden="true" viewBox="0 0 24 24">
      <path d={ICONS[name] ?? ""} />
    </svg>
  );
}

/** A text for screen readers alone. */
export function Hidden({ children }: { children: string }) {
  return <span className="visually-hidden">{children}</span>;
}
