/** Log-in and registration. */
import { useApp } from "../context.ts";
import { Legacy } from "../Legacy.tsx";
import { authView } from "../legacy.js";
import { keptInvite } from "../shell/invite.ts";

export function AuthPage({ reason }: { reason: string | undefined }) {
  const app = useApp();
  return (
    <Legacy
      build={() => ({ element: authView(app, reason, keptInvite()) })}
      onMount={({ element }) => element.querySelector("input")?.focus()}
    />
  );
}
