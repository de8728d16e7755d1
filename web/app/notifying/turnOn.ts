/** Turns pushes on in this browser. The user has just clicked: only then is permission asked. What is wrong is said. */
import { ApiError } from "../core/api.ts";
import type { App } from "../core/app.ts";
import { say } from "../texts.ts";
import { NOTIFYING } from "./texts.ts";

export async function turnOn(app: App): Promise<void> {
  try {
    await app.notifying?.turnOn();
    if (app.notifying?.state === "denied") app.notice(say(NOTIFYING, "denied"), "error");
  } catch (error) {
    app.notice(error instanceof ApiError ? error.message : say(NOTIFYING, "noService"), "error");
  }
}
