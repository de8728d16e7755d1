const HUES = 8;

/** A person's disc with the initial. */
export function Avatar({ id, name }: { id: string; name: string }) {
  return (
    <span className="avatar-box">
      <span className={`avatar hue-${hueOf(id)}`} aria-hidden="true">
        {initialOf(name)}
      </span>
    </span>
  );
}

export function initialOf(name: string): string {
  return ([...name.replace(/^[^\p{L}\p{N}]+/u, "")][0] ?? "?").toUpperCase();
}

export function hueOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return sum % HUES;
}
