/** While a moderator of the instance has the page open, it knows how much waits for them. */
import { useEffect } from "react";
import { useApp, useAppEvent, useWatch } from "../context.ts";

export function useCaseWatch(): void {
  const { moderation } = useApp();
  const { me } = useWatch("me");
  const isModerator = Boolean(me?.moderator);
  useEffect(() => {
    if (!isModerator) return;
    const end = moderation.watch.begin(() => document.visibilityState === "visible");
    const look = () => void (document.visibilityState === "visible" && moderation.watch.look());
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      end();
    };
  }, [moderation, isModerator]);
  useAppEvent("link", ({ state }) => {
    if (isModerator && state === "online") void moderation.watch.look();
  });
}
