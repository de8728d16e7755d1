/** Something that is read when a component appears, and again after `reload`. */
import { useCallback, useEffect, useState } from "react";
import { explainError } from "../forms/errors.ts";
import { FORMS } from "../forms/texts.ts";
import { useTexts } from "../texts.ts";

export interface Loaded<Value> {
  value: Value | null;
  error: string;
  reload: () => void;
  set: (value: Value) => void;
}

/** `read` is called again when one of `keys` changes; what an earlier call answers then is dropped. */
export function useLoaded<Value>(read: () => Promise<Value>, keys: unknown[] = []): Loaded<Value> {
  const t = useTexts(FORMS);
  const [value, set] = useState<Value | null>(null);
  const [error, setError] = useState("");
  const [round, setRound] = useState(0);
  useEffect(() => {
    let over = false;
    setError("");
    read().then(
      (found) => !over && set(found),
      (failure: unknown) => !over && setError(explainError(failure, t).text),
    );
    return () => {
      over = true;
    };
  }, [round, ...keys]);
  return { value, error, set, reload: useCallback(() => setRound((before) => before + 1), []) };
}
