/** What is read of a person when their card opens. */
import { useEffect, useState } from "react";
import { useApp } from "../context.ts";
import { ApiError } from "../core/api.ts";
import type { Conversation } from "../core/conversation.ts";
import { Privacy } from "../core/privacy.ts";
import { type Known, readStates } from "../core/statuses.ts";
import { explainError } from "../forms/errors.ts";
import { FORMS } from "../forms/texts.ts";
import { useTexts } from "../texts.ts";
import type { Person, Role } from "../../types/wire.d.ts";
import type { Who } from "./open.tsx";

export interface FoundPerson {
  /** Whether the user blocks them; null while that is not known. */
  isBlocked: boolean | null;
  /** In the room of the card. */
  role: Role | null;
  isGone: boolean;
  error: string;
  block: () => Promise<void>;
  unblock: () => Promise<void>;
}

export function usePerson(user: Who, room: Conversation | null): FoundPerson {
  const app = useApp();
  const t = useTexts(FORMS);
  const [isBlocked, setBlocked] = useState<boolean | null>(null);
  const [role, setRole] = useState<Role | null>(() => roleIn(room, user.id));
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [privacy] = useState(() => new Privacy(app));
  const isMe = user.id === app.store.me?.id;
  useEffect(() => {
    let isOver = false;
    const unlessOver = (run: () => void) => !isOver && run();
    const fail = (error: unknown) => unlessOver(() => error instanceof ApiError && setFailure(error));
    app.api.get<Person & Known>(`/api/users/${user.id}`).then((read) => {
      app.store.meet([read]);
      app.store.setStatuses([read]);
    }, fail);
    if (!isMe) {
      privacy.blocked().then((users) => unlessOver(() => setBlocked(users.some(({ id }) => id === user.id))), fail);
      readStates(app.api, [user.id]).then(
        ({ [user.id]: read }) => read && app.store.setPresence(user.id, read.state, read.last_seen),
        () => {},
      );
    }
    if (room?.keeper && role === null)
      app.directory.findMembers(room, user.name).then(
        (members) => unlessOver(() => setRole(members.find(({ id }) => id === user.id)?.role ?? null)),
        () => {},
      );
    return () => {
      isOver = true;
    };
  }, []);
  return {
    isBlocked,
    role,
    isGone: failure?.status === 404,
    error: failure ? explainError(failure, t).text : "",
    block: async () => {
      await privacy.block(user.id);
      setBlocked(true);
    },
    unblock: async () => {
      await privacy.unblock(user.id);
      setBlocked(false);
    },
  };
}

function roleIn(room: Conversation | null, user: string): Role | null {
  return room?.members?.find(({ id }) => id === user)?.role ?? null;
}
