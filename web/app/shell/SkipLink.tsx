/** The first thing that Tab reaches: past the lists, to what the page shows. */
import { useTexts } from "../texts.ts";
import { SHELL } from "./texts.ts";

/** The `id` of what it leads to. */
export const MAIN = "main";

export function SkipLink() {
  const t = useTexts(SHELL);
  return (
    <a
      className="skip"
      href={`#${MAIN}`}
      onClick={(event) => {
        event.preventDefault(); // the address says which conversation is open
        document.getElementById(MAIN)?.focus();
      }}
    >
      {t("skip")}
    </a>
  );
}
