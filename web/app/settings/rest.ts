/** What REST takes and answers for the settings. The contract is `docs/protocol.md`. */
import type { Person, Uuid } from "../../types/wire.d.ts";

export interface StatusShape {
  emoji: string;
  text: string;
  until: string | null;
}
export interface OwnProfile {
  id: Uuid;
  name: string;
  display_name: string | null;
  status: StatusShape | null;
  instance_role: "owner" | "moderator" | null;
}
export interface InstanceChoices {
  revision: number;
  name: string | null;
  registration: "open" | "invitation" | "closed" | null;
  default_rooms: Uuid[];
  room_makers: "everyone" | "moderators";
  /** Not among what is written. */
  operator_registration?: "open" | "invitation" | "closed";
  logo?: string | null;
}
export interface ListedUser {
  id: Uuid;
  name: string;
  display_name?: string;
  created: string;
  blocked: boolean;
  instance_role: "owner" | "moderator" | null;
}
export interface ListedRoom {
  id: Uuid;
  name: string;
  visibility: "public" | "private";
  created: string;
  owner: Person | null;
  members: number;
}
export interface Listed {
  more: boolean;
  next: string | null;
}
