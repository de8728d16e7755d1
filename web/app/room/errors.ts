/** Which sentence tells what went wrong with a room. Pure. */
import { ApiError } from "../core/api.ts";
import { SignedOut } from "../core/session.ts";
import { explainError } from "../forms/errors.ts";
import { FORMS } from "../forms/texts.ts";
import { defineTexts, say } from "../texts.ts";

export const ROOM_ERRORS = defineTexts("roomErrors", {
  last_owner: {
    en: "A room needs an owner. Make somebody else an owner first, or delete the room.",
    ru: "У комнаты должен быть владелец. Сначала сделайте владельцем другого участника или удалите комнату.",
  },
  banned: { en: "You are banned from this room.", ru: "Вход в эту комнату для вас закрыт." },
  forbidden: { en: "Your role does not allow this.", ru: "Ваша роль этого не позволяет." },
  makers: {
    en: "Only moderators make rooms here. Ask one of them.",
    ru: "Комнаты здесь создают только модераторы. Обратитесь к ним.",
  },
  not_found: { en: "This room is not there any more.", ru: "Этой комнаты больше нет." },
  conflict: {
    en: "Something changed meanwhile. Look again, and repeat it.",
    ru: "За это время что-то изменилось. Посмотрите ещё раз и повторите.",
  },
  name: { en: "A name has 1 to 80 visible characters.", ru: "В названии от 1 до 80 видимых знаков." },
  topic: { en: "A topic is a line of up to 250 characters.", ru: "Тема — одна строка, до 250 знаков." },
  tooMany: {
    en: "There are too many open invitations. End some of them first.",
    ru: "Открыто слишком много приглашений. Сначала закройте часть из них.",
  },
});
type Key = keyof (typeof ROOM_ERRORS)["texts"];

const CODES = ["last_owner", "banned", "forbidden", "not_found", "conflict"] as const;

/** The sentence; null for what needs none, as the user is signed out. Another error than the server's is thrown on. */
export function explainRoom(error: unknown, instead: Partial<Record<string, Key>> = {}): string | null {
  if (error instanceof SignedOut) return null;
  if (!(error instanceof ApiError)) throw error;
  const { code, field } = error;
  const known = instead[code] ?? CODES.find((one) => one === code);
  if (known) return say(ROOM_ERRORS, known);
  if (code === "invalid" && (field === "name" || field === "topic")) return say(ROOM_ERRORS, field);
  return explainError(error, (key, values) => say(FORMS, key, values)).text;
}
