import { ApiError } from "../core/api.ts";
import type { App } from "../core/app.ts";

/**
 * As `App.attempt`, but that the server cannot be reached is no toast: the list says it, once and not at each turn of the
 * wheel.
 */
export async function attemptQuietly(app: App, run: () => Promise<void>): Promise<"worked" | "failed" | "cut off"> {
  let isCutOff = false;
  const worked = await app.attempt(async () => {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 0)) throw error;
      isCutOff = true;
    }
  });
  return isCutOff ? "cut off" : worked ? "worked" : "failed";
}
