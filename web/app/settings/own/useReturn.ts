/** Runs something whenever the user is back: at this window, or with a connection after there was none. */
import { useEffect, useRef } from "react";
import { useAppEvent } from "../../context.ts";

/** A browser tells of one return in several events. */
const ONE_RETURN_MS = 1_000;

export function useReturn(run: () => void): void {
  const latest = useRef(run);
  const ranAt = useRef(-Infinity);
  useEffect(() => {
    latest.current = run;
  });
  const back = () => {
    if (document.visibilityState !== "visible" || performance.now() - ranAt.current < ONE_RETURN_MS) return;
    ranAt.current = performance.now();
    latest.current();
  };
  useEffect(() => {
    window.addEventListener("focus", back);
    document.addEventListener("visibilitychange", back);
    return () => {
      window.removeEventListener("focus", back);
      document.removeEventListener("visibilitychange", back);
    };
  }, []);
  useAppEvent("link", ({ state }) => state === "online" && back());
}
