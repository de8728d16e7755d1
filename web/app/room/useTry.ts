/** Runs something for the user, and tells in a notice why it failed. */
import { useCallback } from "react";
import { useApp } from "../context.ts";
import { explainRoom } from "./errors.ts";

export type Try = (run: () => Promise<unknown>, instead?: Parameters<typeof explainRoom>[1]) => Promise<boolean>;

export function useTry(): Try {
  const app = useApp();
  return useCallback(
    async (run, instead) => {
      try {
        await run();
        return true;
      } catch (error) {
        const text = explainRoom(error, instead);
        if (text) app.notice(text, "error");
        return false;
      }
    },
    [app],
  );
}
