/** What the owner of a room chooses from. Pure. */
import type { Role, Visibility } from "../../types/wire.d.ts";
import type { PANEL } from "../panels/texts.ts";
import type { Say } from "../texts.ts";

type PanelSay = Say<keyof (typeof PANEL)["texts"]>;

export function visibilities(t: PanelSay): { value: Visibility; text: string; hint: string }[] {
  return [
    { value: "public", text: t("isPublic"), hint: t("isPublicHint") },
    { value: "private", text: t("isPrivate"), hint: t("isPrivateHint") },
  ];
}

export function defaultRoles(t: PanelSay): { value: Role; text: string }[] {
  return [
    { value: "member", text: t("joinsMember") },
    { value: "reader", text: t("joinsReader") },
  ];
}
