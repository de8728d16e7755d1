/** Whether the user has hidden the first steps, which this browser remembers. */
import { keep, kept } from "../kept.ts";

const NAME = "first-steps";

export function areStepsHidden(user: string): boolean {
  return kept(NAME) === user;
}

export function hideSteps(user: string): void {
  keep(NAME, user);
}
