/** Opens what is about people from anywhere: the card of one, and the choice of one. Both load when they are first opened. */
import { lazy, Suspense } from "react";
import type { App } from "../core/app.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Named } from "../core/people.ts";
import { showOverlay } from "../kit/overlays.tsx";
import type { Navigation } from "../shell/navigation.ts";

export interface Who extends Named {
  id: string;
}

const PersonCard = lazy(() => import("./PersonCard.tsx"));
const AddPeople = lazy(async () => ({ default: (await import("./ChoosePerson.tsx")).AddPeople }));
const WriteTo = lazy(async () => ({ default: (await import("./ChoosePerson.tsx")).WriteTo }));

/**
 * The card of a person: at `at`, what was pressed, or in the middle; on phones from below.
 * @param room the room in which they were met, whose owners and moderators can remove them there
 */
export function openPerson(navigation: Navigation, user: Who, at?: Element | null, room?: Conversation | null): void {
  showOverlay((close) => (
    <Suspense>
      <PersonCard navigation={navigation} user={user} at={at ?? null} room={room ?? null} onClose={close} />
    </Suspense>
  ));
}

/** Choose somebody to write to. */
export function findPerson(_app: App, navigation: Navigation): void {
  showOverlay((close) => (
    <Suspense>
      <WriteTo navigation={navigation} onClose={close} />
    </Suspense>
  ));
}

/** Choose people who become members of a room. */
export function addPeople(conversation: Conversation): void {
  showOverlay((close) => (
    <Suspense>
      <AddPeople conversation={conversation} onClose={close} />
    </Suspense>
  ));
}
