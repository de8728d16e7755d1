/** The first steps of who owns an instance, and which of them are done. Pure. */
import type { InstanceChoices } from "../settings/rest.ts";

export const STEPS = ["name", "room", "defaults", "invite"] as const;
export type Step = (typeof STEPS)[number];

/** What of the instance tells it. */
export interface Facts {
  choices: Pick<InstanceChoices, "name" | "default_rooms">;
  rooms: number;
  /** How many accounts there are, up to two. */
  people: number;
}

export function doneSteps({ choices, rooms, people }: Facts): Set<Step> {
  const done: Record<Step, boolean> = {
    name: Boolean(choices.name),
    room: rooms > 0,
    defaults: choices.default_rooms.length > 0,
    invite: people > 1,
  };
  return new Set(STEPS.filter((step) => done[step]));
}

/** The first that is not done is the one to offer loudest; null when all are. */
export function nextStep(done: ReadonlySet<Step>): Step | null {
  return STEPS.find((step) => !done.has(step)) ?? null;
}
