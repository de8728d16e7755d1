/** A member in the list: who it is, whether they are there, and what one may do about them. */
import { useApp, useNavigation } from "../context.ts";
import type { Conversation } from "../core/conversation.ts";
import { outranks } from "../core/members.ts";
import { handleOf, shownName } from "../core/people.ts";
import type { Member } from "../core/rest.ts";
import { Avatar, confirmed, IconButton, Menu, type MenuEntry, showOverlay } from "../kit/index.ts";
import { openPerson } from "../people/open.tsx";
import { StatusText } from "../people/StatusText.tsx";
import { MEMBERS } from "./texts.ts";
import { useTexts } from "../texts.ts";
import { BanDialog } from "./BanDialog.tsx";
import styles from "./Members.module.css";
import { RoleDialog } from "./RoleDialog.tsx";

export function MemberRow({ conversation, member }: { conversation: Conversation; member: Member }) {
  const app = useApp();
  const navigation = useNavigation();
  const t = useTexts(MEMBERS);
  const name = shownName(member);
  const handle = handleOf(member);
  const isMe = member.id === app.store.me?.id;
  const presence = isMe ? "online" : (app.store.presence.get(member.id)?.state ?? "offline");
  return (
    <div role="listitem" className={styles.row} data-testid="member" data-id={member.id} data-role={member.role}>
      <Avatar id={member.id} name={name} presence={presence} />
      <button
        type="button"
        className={styles.who}
        data-testid="open-person"
        onClick={(event) => openPerson(navigation, member, event.currentTarget, conversation)}
      >
        <span className={styles.called}>
          <span dir="auto">{name}</span>
          {isMe && <span className={styles.soft}> {t("you")}</span>}
        </span>
        <span className={styles.more}>
          {handle && (
            <span className={styles.soft} dir="ltr">
              {handle}
            </span>
          )}
          <StatusText id={member.id} />
        </span>
      </button>
      {member.role !== "member" && <span className={styles.role}>{t(member.role)}</span>}
      {!isMe && (
        <IconButton
          icon="chat"
          label={t("message", { name })}
          onPress={() => navigation.openConversation("dm", member.id)}
        />
      )}
      {!isMe && outranks(conversation.role, member.role) && <Manage conversation={conversation} member={member} />}
    </div>
  );
}

function Manage({ conversation, member }: { conversation: Conversation; member: Member }) {
  const app = useApp();
  const t = useTexts(MEMBERS);
  const name = shownName(member);
  const setRole = (role: "member" | "reader") =>
    void app.attempt(() => app.directory.setRole(conversation, member.id, role));
  async function kick() {
    if (await confirmed({ title: t("kickTitle", { name }), text: t("kickText"), verb: t("kickVerb") }))
      await app.attempt(() => app.directory.kick(conversation, member.id));
  }
  const entries: MenuEntry[] = [
    {
      id: "role",
      text: t("changeRole"),
      icon: "users",
      testid: "change-role",
      onAction: () =>
        void showOverlay((close) => <RoleDialog conversation={conversation} member={member} onClose={close} />),
    },
    member.role === "reader"
      ? { id: "unrestrict", text: t("unrestrict"), icon: "edit", testid: "unrestrict", onAction: () => setRole("member") }
      : { id: "restrict", text: t("restrict"), icon: "show", testid: "restrict", onAction: () => setRole("reader") },
    { id: "kick", text: t("kick"), icon: "logout", separated: true, testid: "kick", onAction: () => void kick() },
    {
      id: "ban",
      text: t("ban"),
      icon: "lock",
      isDangerous: true,
      testid: "ban",
      onAction: () =>
        void showOverlay((close) => <BanDialog conversation={conversation} member={member} onClose={close} />),
    },
  ];
  return (
    <Menu label={t("manage", { name })} entries={entries}>
      <IconButton icon="more" label={t("manage", { name })} data-testid="manage" />
    </Menu>
  );
}
