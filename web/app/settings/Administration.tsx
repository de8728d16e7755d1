/** The lists of all users and of all rooms, for those who moderate the instance. */
import { useState } from "react";
import { useApp, useNavigation } from "../context.ts";
import { Button, EmptyState, ErrorState, Field, Select, Skeleton, Switch } from "../kit/index.ts";
import { openPerson } from "../people/open.tsx";
import { formatDate, useTexts } from "../texts.ts";
import type { Listed, ListedRoom, ListedUser } from "./rest.ts";
import css from "./Settings.module.css";
import { SETTINGS } from "./texts.ts";
import { useLoaded } from "./useLoaded.ts";

type UserPage = Listed & { users: ListedUser[] };
type RoomPage = Listed & { rooms: ListedRoom[] };
type RoleName = "none" | "moderator" | "owner";
const ROLES = { none: "roleNone", moderator: "roleModerator", owner: "roleOwner" } as const;

export function Users({ isOwner }: { isOwner: boolean }) {
  const app = useApp();
  const t = useTexts(SETTINGS);
  const [name, setName] = useState("");
  const [blocked, setBlocked] = useState(false);
  const read = (cursor?: string | null) =>
    app.api.get<UserPage>("/api/instance/users", { name: name.trim(), blocked: blocked || null, cursor });
  const found = useLoaded(() => read(), [name.trim(), blocked]);
  const more = async () => {
    const before = found.value;
    if (!before) return;
    const next = await read(before.next);
    found.set({ ...next, users: [...before.users, ...next.users] });
  };
  return (
    <section className={css.part}>
      <div className={css.filters}>
        <Field label={t("find")} value={name} onChange={setName} testid="find-user" />
        <Switch isOn={blocked} onChange={setBlocked} testid="blocked-only">
          {t("blockedOnly")}
        </Switch>
      </div>
      {found.error && <ErrorState text={found.error} onRetry={found.reload} />}
      {!found.value && !found.error && <Skeleton />}
      {found.value?.users.length === 0 && <EmptyState icon="users" title={t("noUsers")} />}
      <ul className={css.list} data-testid="users">
        {found.value?.users.map((user) => (
          <UserLine key={user.id} user={user} isOwner={isOwner} />
        ))}
      </ul>
      {found.value?.more && <Button onPress={() => void app.attempt(more)}>{t("more")}</Button>}
    </section>
  );
}

function UserLine({ user, isOwner }: { user: ListedUser; isOwner: boolean }) {
  const app = useApp();
  const t = useTexts(SETTINGS);
  const navigation = useNavigation();
  const [role, setRole] = useState<RoleName>(user.instance_role ?? "none");
  const [isBlocked, setBlocked] = useState(user.blocked);
  const choose = (wanted: RoleName) =>
    app.attempt(async () => {
      await app.api.put(`/api/instance/users/${user.id}/role`, { role: wanted === "none" ? null : wanted });
      setRole(wanted);
    });
  const unblock = () =>
    app.attempt(async () => {
      await app.moderation.unblock(user.id);
      setBlocked(false);
      app.notice(t("unblocked", { name: user.display_name ?? user.name }));
    });
  const own = user.id === app.store.me?.id;
  return (
    <li className={css.line} data-testid="user-line">
      <span className={css.who}>
        <button type="button" className={css.person} dir="auto" onClick={(event) => openPerson(navigation, { ...user, display_name: user.display_name }, event.currentTarget)}>
          {user.display_name ?? user.name}
        </button>
        <span className={css.soft}>
          {user.display_name && `${user.name} · `}
          {formatDate(user.created, { dateStyle: "medium" })}
        </span>
      </span>
      {isBlocked && (
        <>
          <span className={css.tag}>{t("blocked")}</span>
          <Button onPress={() => void unblock()} aria-label={t("unblockOf", { name: user.name })} data-testid="unblock-user">
            {t("unblock")}
          </Button>
        </>
      )}
      {isOwner && !own ? (
        <Select
          label={t("roleOf", { name: user.name })}
          options={Object.entries(ROLES).map(([value, key]) => ({ value: value as RoleName, text: t(key) }))}
          value={role}
          onChange={(wanted) => void choose(wanted)}
          isLabelHidden
          testid={`role-${user.name}`}
        />
      ) : (
        <span className={css.soft}>{role !== "none" && t(ROLES[role])}</span>
      )}
    </li>
  );
}

export function Rooms() {
  const app = useApp();
  const t = useTexts(SETTINGS);
  const read = (cursor?: string | null) => app.api.get<RoomPage>("/api/instance/rooms", { cursor });
  const found = useLoaded(() => read());
  const more = async () => {
    const before = found.value;
    if (!before) return;
    const next = await read(before.next);
    found.set({ ...next, rooms: [...before.rooms, ...next.rooms] });
  };
  if (found.error) return <ErrorState text={found.error} onRetry={found.reload} />;
  if (!found.value) return <Skeleton />;
  if (!found.value.rooms.length) return <EmptyState icon="hash" title={t("noRooms")} />;
  return (
    <section className={css.part}>
      <ul className={css.list} data-testid="rooms">
        {found.value.rooms.map((room) => (
          <li key={room.id} className={css.line}>
            <span className={css.who}>
              <strong dir="auto">{room.name}</strong>
              <span className={css.soft}>
                {[
                  t(room.visibility),
                  t("members", { count: room.members }),
                  room.owner && t("ownedBy", { name: room.owner.display_name ?? room.owner.name }),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {found.value.more && <Button onPress={() => void app.attempt(more)}>{t("more")}</Button>}
    </section>
  );
}
