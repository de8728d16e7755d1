import { defineTexts } from "../texts.ts";

/** The pages of moderators. */
export const MODERATION = defineTexts("moderation", {
  title: { en: "Moderation", ru: "Модерация" },
  about: { en: "Of all rooms and direct messages", ru: "Всех комнат и личных сообщений" },
  pages: { en: "Pages of moderation", ru: "Разделы модерации" },
  back: { en: "Back to the list", ru: "Назад к списку" },
  refresh: { en: "Refresh", ru: "Обновить" },
  more: { en: "Show more", ru: "Показать ещё" },
  open: { en: "To review", ru: "На проверку" },
  decided: { en: "Decided", ru: "Решённые" },
  blocks: { en: "Blocks", ru: "Блокировки" },
  audit: { en: "Audit log", ru: "Журнал" },
  openEmpty: { en: "Nothing waits for a decision.", ru: "Решать нечего." },
  decidedEmpty: { en: "Nothing was decided yet.", ru: "Решений пока нет." },
  blocksEmpty: { en: "Nobody is blocked.", ru: "Никто не заблокирован." },
  auditEmpty: { en: "Nothing happened yet.", ru: "Пока ничего не было." },
  waiting: { en: "waiting", ru: "ждут решения" },

  // How a case began
  flagged: { en: "Flagged by a rule", ru: "Отмечено правилом" },
  removed: { en: "Removed by a rule", ru: "Убрано правилом" },
  heldBack: { en: "Held back by a rule", ru: "Задержано правилом" },
  reported: { en: "Reported", ru: "Жалоба" },
  appeal: { en: "Appeal", ru: "Просьба о пересмотре" },
  blocked: { en: "Appeal against a block", ru: "Просьба снять блокировку" },
  other: { en: "Case", ru: "Обращение" },

  // Where its message stands, and what it says
  inRoom: { en: "in {name}", ru: "в комнате {name}" },
  inPrivate: { en: "in a private room", ru: "в закрытой комнате" },
  toPerson: { en: "to {name}, directly", ru: "лично: {name}" },
  aboutBlock: {
    en: "This is about a block, not about a message.",
    ru: "Речь о блокировке, а не о сообщении.",
  },
  textGone: { en: "The text is gone: its author deleted it.", ru: "Текста нет: автор его удалил." },
  textNever: {
    en: "It was never shown to anyone, and its text is not kept.",
    ru: "Его никто не видел, и текст не сохраняется.",
  },
  whole: { en: "Show all", ru: "Показать целиком" },
  deletedAccount: { en: "a deleted account", ru: "удалённая учётная запись" },
  theSender: { en: "the sender", ru: "отправитель" },
  author: { en: "the author", ru: "автор" },

  // Why it is there
  rule: { en: "Rule {name}", ru: "Правило {name}" },
  reason: { en: "Reason", ru: "Причина" },
  reportedBy: { en: "Reported by {name}", ru: "Жалоба от {name}" },
  appealOf: { en: "Appeal of {name}", ru: "{name} просит пересмотреть" },

  // Its context
  context: { en: "What was written around it", ru: "Что писали рядом" },
  contextHide: { en: "Hide what was written around it", ru: "Скрыть соседние сообщения" },
  contextNothing: { en: "Nothing else was written there.", ru: "Больше там ничего не писали." },
  contextGone: { en: "This message was withdrawn.", ru: "Сообщение отозвано." },
  thisOne: { en: "the message in question", ru: "сообщение, о котором речь" },
  goThere: { en: "Open in the conversation", ru: "Открыть в беседе" },

  // Decisions
  allow: { en: "Allow", ru: "Оставить" },
  remove: { en: "Remove", ru: "Убрать" },
  block: { en: "Block…", ru: "Заблокировать…" },
  endBlock: { en: "End the block", ru: "Снять блокировку" },
  keepBlock: { en: "Keep the block", ru: "Оставить блокировку" },
  blockAnew: { en: "Block anew…", ru: "Изменить срок…" },
  decideAbout: { en: "Decide about {about}", ru: "Решить: {about}" },
  allowed: { en: "Allowed.", ru: "Оставлено." },
  removedNow: { en: "Removed.", ru: "Убрано." },
  blockedNow: { en: "Blocked.", ru: "Заблокировано." },
  removeTitle: { en: "Remove message", ru: "Убрать сообщение" },
  removeSome: {
    en: "{count, plural, one {Remove # message} other {Remove # messages}}",
    ru: "{count, plural, one {Убрать # сообщение} few {Убрать # сообщения} other {Убрать # сообщений}}",
  },
  removeText: {
    en: "Its text is withdrawn for everyone. You can allow it again later.",
    ru: "Текст исчезнет у всех. Позже его можно вернуть.",
  },
  removeVerb: { en: "Remove", ru: "Убрать" },
  blockTitle: { en: "Block {name}", ru: "Заблокировать: {name}" },
  blockSome: {
    en: "{count, plural, one {Block # person} other {Block # people}}",
    ru: "{count, plural, one {Заблокировать # человека} few {Заблокировать # человек} other {Заблокировать # человек}}",
  },
  blockText: {
    en: "{name} is signed out everywhere, and cannot log in for this long.",
    ru: "{name} выйдет на всех устройствах и не сможет войти в это время.",
  },
  blockTextToo: {
    en: "The message is withdrawn. {name} is signed out everywhere, and cannot log in for this long.",
    ru: "Сообщение исчезнет у всех. {name} выйдет на всех устройствах и не сможет войти в это время.",
  },
  blockTextSome: {
    en: "Their messages in question are withdrawn. They are signed out everywhere, and cannot log in for this long.",
    ru: "Эти сообщения исчезнут у всех. Их авторы выйдут на всех устройствах и не смогут войти в это время.",
  },
  blockVerb: { en: "Block", ru: "Заблокировать" },
  readBySeers: { en: "Those who saw the message read it.", ru: "Её прочтут те, кто видел сообщение." },
  readByName: { en: "{name} reads it.", ru: "Её прочтёт {name}." },
  readByBoth: {
    en: "{name} reads it, and those who saw the message.",
    ru: "Её прочтёт {name} и те, кто видел сообщение.",
  },
  howLong: { en: "For how long?", ru: "На сколько?" },
  hour: { en: "One hour", ru: "Час" },
  day: { en: "One day", ru: "День" },
  week: { en: "One week", ru: "Неделя" },
  month: { en: "30 days", ru: "30 дней" },
  forever: { en: "For ever", ru: "Навсегда" },

  // Several at once
  select: { en: "Select: {about}", ru: "Выбрать: {about}" },
  selectAll: { en: "Select all", ru: "Выбрать все" },
  selected: {
    en: "{count, plural, one {# selected} other {# selected}}",
    ru: "{count, plural, one {Выбрано: #} other {Выбрано: #}}",
  },
  decideSelected: { en: "Decide about the selected", ru: "Решить о выбранных" },
  clear: { en: "Clear the selection", ru: "Снять выбор" },
  someDecided: {
    en: "{count, plural, one {# case is decided.} other {# cases are decided.}}",
    ru: "{count, plural, one {Решено # обращение.} few {Решено # обращения.} other {Решено # обращений.}}",
  },
  someFailed: {
    en: "{count, plural, one {# case could not be decided.} other {# cases could not be decided.}} {why}",
    ru: "{count, plural, one {# обращение решить не удалось.} few {# обращения решить не удалось.} other {# обращений решить не удалось.}} {why}",
  },

  // What was decided
  wasAllowed: { en: "Allowed", ru: "Оставлено" },
  wasFlagged: { en: "Flagged", ru: "Отмечено" },
  wasRemoved: { en: "Removed", ru: "Убрано" },
  wasBlocked: { en: "Removed, and the sender blocked", ru: "Убрано, отправитель заблокирован" },
  blockEnded: { en: "Block ended", ru: "Блокировка снята" },
  blockKept: { en: "Block kept", ru: "Блокировка оставлена" },
  blockedAnew: { en: "Blocked anew", ru: "Заблокировано заново" },
  doneBy: { en: "{done} by {name}", ru: "{done} · {name}" },

  // Blocks
  blockedForever: { en: "blocked for ever", ru: "без срока" },
  blockedUntil: { en: "blocked until {date}", ru: "до {date}" },
  by: { en: "by {name}", ru: "{name}" },
  unblock: { en: "Unblock", ru: "Разблокировать" },
  unblockOf: { en: "Unblock {name}", ru: "Разблокировать: {name}" },
  unblocked: { en: "{name} can log in again.", ru: "{name} снова может войти." },
  theAccount: { en: "The account", ru: "Эта учётная запись" },

  // The audit log: what stands behind the name of who did it
  someone: { en: "someone", ru: "кто-то" },
  aRoom: { en: "a room", ru: "комната" },
  didFlag: { en: "flagged a message of {name}", ru: "— отметка на сообщении ({name})" },
  didRemove: { en: "removed a message of {name}", ru: "— убрано сообщение ({name})" },
  didReport: { en: "reported a message of {name}", ru: "— жалоба на сообщение ({name})" },
  didAppeal: { en: "asked for a review", ru: "— просьба о пересмотре" },
  didDecide: { en: "decided a case of {name}: {verdict}", ru: "— решение ({name}): {verdict}" },
  didBlock: { en: "blocked {name}", ru: "— блокировка: {name}" },
  didBlockUntil: { en: "blocked {name} until {date}", ru: "— блокировка до {date}: {name}" },
  didUnblock: { en: "ended the block of {name}", ru: "— снята блокировка: {name}" },
  didSetting: { en: "changed a setting", ru: "— изменена настройка" },
  didOwner: { en: "made {name} the owner of a room", ru: "— новый владелец комнаты: {name}" },
  didAccount: { en: "changed the account of {name}", ru: "— изменена учётная запись: {name}" },
  didInstance: { en: "changed the instance", ru: "— изменены настройки сервера" },
  didOther: { en: "did something else", ru: "— другое действие" },
  didRole: { en: "changed the role of {name} in the instance", ru: "— роль на сервере: {name}" },
  didOwn: { en: "became the owner of the instance", ru: "— первый владелец сервера" },

  // What the service writes there by itself
  noteStrictness: { en: "{room} is {strictness}", ru: "{room}: модерация — {strictness}" },
  noteHeld: {
    en: "messages of {room} are held until their verdict",
    ru: "{room}: сообщения видны только после проверки",
  },
  noteNotHeld: {
    en: "messages of {room} are not held until their verdict",
    ru: "{room}: сообщения видны сразу",
  },
  noteInstance: {
    en: "name: {name}; who may register: {registration}; who may make rooms: {makers}; rooms for newcomers: {count}",
    ru: "название: {name}; регистрация: {registration}; кто создаёт комнаты: {makers}; комнат для новичков: {count}",
  },
  noteLogo: { en: "another logo, {width} × {height}", ru: "другой логотип, {width} × {height}" },
  noteNoLogo: { en: "no logo any more", ru: "логотип убран" },
  noteFirst: { en: "as its first account", ru: "первая учётная запись" },
  noteOrphan: { en: "{room} had no owner who can log in", ru: "в комнате {room} не было владельца, который может войти" },
  noteRole: { en: "role in the instance: {role}", ru: "роль на сервере: {role}" },
  noteOwner: { en: "owner of {room}", ru: "владелец комнаты {room}" },
  noteRoomDeleted: { en: "deleted {room}, with all messages", ru: "удалена комната {room} со всеми сообщениями" },
  noteInvited: { en: "made an invitation to {room} in their name", ru: "приглашение в {room} от этого имени" },
  noteUninvited: { en: "ended their invitation to {room}", ru: "отменено приглашение в {room}" },
  noteExported: { en: "exported the data of the account", ru: "выгружены данные учётной записи" },
  notePassword: { en: "set another password, and ended all log-ins", ru: "новый пароль, все входы завершены" },
  noteLink: { en: "printed a link to a new password", ru: "выдана ссылка для нового пароля" },
  noteCreated: { en: "created the account", ru: "создана учётная запись" },
  noteOwnerCreated: {
    en: "created the account, as an owner of the instance",
    ru: "создана учётная запись владельца сервера",
  },
  noteOwnerMade: { en: "made an owner of the instance", ru: "теперь владелец сервера" },
  noteModeratorMade: { en: "made a moderator of the instance", ru: "теперь модератор сервера" },
  noteRoleTaken: {
    en: "made neither owner nor moderator of the instance",
    ru: "больше не владелец и не модератор сервера",
  },
  noteLogInsEnded: { en: "ended all log-ins", ru: "завершены все входы" },
  noteLogInEnded: { en: "ended a log-in", ru: "завершён один вход" },
  noteReplayed: {
    en: "replayed {count} dead letters of {topic}",
    ru: "повторно обработано записей из {topic}: {count}",
  },
  noteSeeded: {
    en: "seeded {users} users with tokens for a day, and {rooms} rooms",
    ru: "созданы пробные данные: пользователей — {users} (токены на день), комнат — {rooms}",
  },
  noteMigrated: {
    en: "brought the database from format {before} to {after}",
    ru: "формат базы данных обновлён с {before} до {after}",
  },
  noteRestored: {
    en: "noted that a backup was restored; the epoch is {epoch}",
    ru: "отмечено восстановление из копии; эпоха — {epoch}",
  },
  notePushKey: {
    en: "made a key of push, which signs from the next start on",
    ru: "создан ключ уведомлений; действует со следующего запуска",
  },
  noteCopied: { en: "copied the database to {file}", ru: "база данных скопирована в {file}" },
  noteDrained: {
    en: "drained {role}, the process {pid} on {host}",
    ru: "процесс {pid} ({role}) на {host} закончил работу и остановлен",
  },
  noteDrainBegun: {
    en: "began to drain {role}, the process {pid} on {host}",
    ru: "процесс {pid} ({role}) на {host} начал завершать работу",
  },
  noteSigningKey: { en: "added the signing key {key}", ru: "добавлен ключ подписи {key}" },
  noteTopics: { en: "changed the Kafka topics {topics}", ru: "изменены топики Kafka: {topics}" },
  noteDeleted: { en: "deleted the account, with all messages", ru: "учётная запись удалена со всеми сообщениями" },
  relaxed: { en: "relaxed", ru: "мягкая" },
  normal: { en: "normal", ru: "обычная" },
  strict: { en: "strict", ru: "строгая" },
  forAll: { en: "everybody", ru: "все" },
  forInvited: { en: "people with an invitation", ru: "приглашённые" },
  forNobody: { en: "nobody but the operator", ru: "только администратор" },
  asOperator: { en: "as the operator chose", ru: "как задал администратор" },
  byModerators: { en: "moderators", ru: "модераторы" },
  roleOwner: { en: "owner", ru: "владелец" },
  roleModerator: { en: "moderator", ru: "модератор" },
  roleNone: { en: "none", ru: "нет" },
  verdictAllow: { en: "allow", ru: "оставить" },
  verdictRemove: { en: "remove", ru: "убрать" },
  verdictBlock: { en: "remove and block", ru: "убрать и заблокировать" },
});

/** The dialogs by which anyone reaches the moderators. */
export const REPORT = defineTexts("report", {
  reportTitle: { en: "Report message", ru: "Пожаловаться на сообщение" },
  reportWhy: { en: "What is wrong with it?", ru: "Что с ним не так?" },
  reportText: {
    en: "The moderators will see the message and who reported it. {name} will not be told.",
    ru: "Модераторы увидят сообщение и кто пожаловался. {name} об этом не узнает.",
  },
  reportVerb: { en: "Report", ru: "Пожаловаться" },
  reportDone: {
    en: "Thank you. The message was reported to the moderators.",
    ru: "Спасибо. Модераторы получили жалобу.",
  },
  appealTitle: { en: "Ask for a review", ru: "Попросить о пересмотре" },
  appealWhy: { en: "Why should it come back?", ru: "Почему его стоит вернуть?" },
  appealText: {
    en: "A moderator will look at your message again. You can ask once.",
    ru: "Модератор посмотрит на сообщение ещё раз. Попросить можно один раз.",
  },
  appealDone: {
    en: "A moderator will look at your message again.",
    ru: "Модератор посмотрит на сообщение ещё раз.",
  },
  blockTitle: { en: "Ask the moderators", ru: "Обратиться к модераторам" },
  blockWhy: { en: "Why should the block end?", ru: "Почему блокировку стоит снять?" },
  blockText: {
    en: "A moderator will look at the block. You can ask once.",
    ru: "Модератор посмотрит на блокировку. Попросить можно один раз.",
  },
  blockDone: {
    en: "A moderator will look at the block. Try to log in again later.",
    ru: "Модератор посмотрит на блокировку. Попробуйте войти позже.",
  },
  send: { en: "Send", ru: "Отправить" },
});
