/** The signs of the composer, drawn in one stroke on 24 × 24. */
import type { Format } from "./format.ts";

const PATHS: Record<Format | "send" | "close" | "smile" | "eye" | "pencil", string> = {
  bold: "M7 5h6a3.5 3.5 0 0 1 0 7H7zM7 12h7a3.5 3.5 0 0 1 0 7H7z",
  italic: "M10 5h8M6 19h8M14.5 5l-5 14",
  strike: "M4 12h16M16.5 7.5C16 5.800 14.300 5 12 5c-2.600 0-4.500 1.200-4.500 3.200 0 1.300.7 2.200 2 2.800M7.500 16c.5 2 2.300 3 4.600 3 2.700 0 4.700-1.200 4.700-3.300 0-.7-.2-1.300-.6-1.700",
  code: "M8.500 7 3.500 12l5 5M15.500 7l5 5-5 5M13.500 4.500l-3 15",
  list: "M9 6h11M9 12h11M9 18h11M4.500 6h.01M4.500 12h.01M4.500 18h.01",
  numbers: "M10 6h10M10 12h10M10 18h10M4 4.500l1.500-.5v5M4 15.300c.4-.9 2.500-1 2.500.4 0 1-2.500 2-2.500 3.300h2.700",
  quote: "M5 5v14M10 7h10M10 12h10M10 17h6",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1",
  send: "M12 19V5M6 11l6-6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.200c1.700 2.300 5.300 2.300 7 0M9 9.500h.01M15 9.500h.01",
  eye: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  pencil: "M4 20l1-4L16.500 4.500a2.100 2.100 0 0 1 3 3L8 19z",
};

export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 24 24"
      width="18"
      height="18"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.9"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
