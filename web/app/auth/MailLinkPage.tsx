/** What the link of a mail brings: an address is confirmed, or a new password chosen. */
import { useApp } from "../context.ts";
import { Legacy } from "../Legacy.tsx";
import { mailLinkView } from "../legacy.js";
import type { MailLink } from "../shell/stage.ts";

export function MailLinkPage({ link, onDone }: { link: MailLink; onDone: (reason?: string) => Promise<void> }) {
  const app = useApp();
  return (
    <Legacy
      build={() => ({ element: mailLinkView(app, link, onDone) })}
      onMount={({ element }) => element.querySelector("input")?.focus()}
    />
  );
}
