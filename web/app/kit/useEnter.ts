/** Enter in a field whose answer is still on the way. */
import { useEffect, useRef, useState } from "react";

/** How long an Enter waits for what is found. */
const PATIENCE_MS = 1500;

/**
 * What handles Enter: at once if the answer for what is typed is here, else when it comes or has taken too long. What is
 * typed meanwhile takes the Enter back.
 *
 * @param go what Enter does; it gets whether the answer is here
 */
export function useEnter(typed: string, isAnswered: boolean, go: (isAnswered: boolean) => void): () => void {
  const [waiting, setWaiting] = useState<string | null>(null);
  const latest = useRef(go);
  latest.current = go;
  const isWaiting = waiting === typed;
  useEffect(() => {
    if (!isWaiting) return setWaiting(null);
    const end = () => {
      setWaiting(null);
      latest.current(isAnswered);
    };
    if (isAnswered) return end();
    const timer = setTimeout(end, PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isWaiting, isAnswered]);
  return () => (isAnswered ? go(true) : setWaiting(typed));
}
