/** What the core itself tells people: what became of their session, rooms and messages, and why the server refused. */
import { defineTexts } from "../texts.ts";

export const CORE = defineTexts("core", {
  signedOut: { en: "You were signed out. Log in again.", ru: "Сеанс завершён. Войдите снова." },
  blockedLogIn: {
    en: "This account is blocked. Log in to read why, and until when.",
    ru: "Учётная запись заблокирована. Войдите, чтобы узнать причину и срок.",
  },
  outElsewhere: { en: "You logged out in another window.", ru: "Вы вышли в другом окне." },
  accountDeleted: { en: "Your account was deleted.", ru: "Ваша учётная запись удалена." },
  noConversation: {
    en: "This conversation does not exist, or you are not in it.",
    ru: "Такой беседы нет, или вы в ней не состоите.",
  },
  joined: { en: "You are in {name} now.", ru: "Теперь вы в комнате {name}." },
  notSentGone: {
    en: "This was not sent, as you are not in its room any more: {text}",
    ru: "Не отправлено: вы больше не состоите в этой комнате. Текст: {text}",
  },
  roomGone: {
    en: "{name} was deleted, or you are not in it any more.",
    ru: "Комнату {name} удалили, или вы в ней больше не состоите.",
  },
  roomDeleted: { en: "{name} was deleted.", ru: "Комнату {name} удалили." },
  youLeft: { en: "You left {name}.", ru: "Вы вышли из комнаты {name}." },
  youKicked: { en: "You were removed from {name}.", ru: "Вас удалили из комнаты {name}." },
  youBanned: { en: "You were banned from {name}.", ru: "Вам закрыли доступ в комнату {name}." },
  heldIn: {
    en: "A message of yours in {name} was held back by moderation: {reason}",
    ru: "Модерация задержала ваше сообщение в {name}: {reason}",
  },
  held: {
    en: "A message of yours was held back by moderation: {reason}",
    ru: "Модерация задержала ваше сообщение: {reason}",
  },
  noReason: { en: "no reason was given", ru: "причина не указана" },
  operator: { en: "the operator ({name})", ru: "оператор ({name})" },
  rules: { en: "the rules", ru: "правила" },
  someone: { en: "someone", ru: "кто-то" },
  justNow: { en: "just now", ru: "только что" },

  unreachable: {
    en: "The server cannot be reached. Check the connection, and try again.",
    ru: "Нет связи с сервером. Проверьте подключение и повторите.",
  },
  failed: { en: "That did not work. Try again in a moment.", ru: "Не получилось. Повторите чуть позже." },
  busy: {
    en: "The server cannot take this now. Try again in a moment.",
    ru: "Сервер сейчас не справляется. Повторите чуть позже.",
  },
  slow: {
    en: "The server took too long. Check whether it took effect, and try again.",
    ru: "Сервер отвечал слишком долго. Проверьте, получилось ли, и повторите.",
  },
  limited: { en: "That was too often. Try again in a moment.", ru: "Слишком часто. Повторите чуть позже." },
  limitedFor: { en: "That was too often. Try again {wait}.", ru: "Слишком часто. Повторите {wait}." },
  wrongLogin: { en: "The name or the password is wrong.", ru: "Неверное имя или пароль." },
  nameTaken: { en: "This name is taken. Choose another.", ru: "Это имя занято. Выберите другое." },
  forbidden: { en: "You may not do this here.", ru: "Здесь у вас нет такого права." },
  notMember: { en: "You are not in this room.", ru: "Вы не состоите в этой комнате." },
  privateRoom: {
    en: "This room is private. Ask for an invitation.",
    ru: "Это закрытая комната. Попросите приглашение.",
  },
  roomMakers: {
    en: "Only moderators make rooms here. Ask one of them.",
    ru: "Комнаты здесь создают только модераторы. Попросите их.",
  },
  registrationClosed: {
    en: "Accounts are made by the operator here. Ask for one.",
    ru: "Здесь учётные записи создаёт администратор. Попросите его.",
  },
  needsInvitation: {
    en: "You need an invitation link to make an account here. Ask somebody for one.",
    ru: "Чтобы зарегистрироваться, нужна ссылка-приглашение. Попросите её у коллег.",
  },
  addNobody: {
    en: "This person lets nobody add them to rooms. Send them an invitation.",
    ru: "Этот человек никому не разрешает добавлять себя в комнаты. Отправьте приглашение.",
  },
  addShared: {
    en: "This person lets only people of their rooms add them. Send them an invitation.",
    ru: "Этого человека добавляют только те, с кем он в одной комнате. Отправьте приглашение.",
  },
  addNotYou: {
    en: "This person does not let you add them. Send them an invitation.",
    ru: "Этот человек не разрешает вам добавлять его. Отправьте приглашение.",
  },
  theyLeft: {
    en: "This person left the room. Send them an invitation, or let them join.",
    ru: "Этот человек вышел из комнаты. Отправьте приглашение или дождитесь, пока он вернётся.",
  },
  noMessages: { en: "This person takes no messages from you.", ru: "Этот человек не принимает ваши сообщения." },
  blockModerator: {
    en: "A moderator of the instance cannot be blocked. Take the role away first.",
    ru: "Модератора сервера нельзя заблокировать. Сначала снимите с него роль.",
  },
  ownersOnly: { en: "Only owners of the instance may do this.", ru: "Это могут только владельцы сервера." },
  moderatorsOnly: {
    en: "Only moderators of the instance may do this.",
    ru: "Это могут только модераторы сервера.",
  },
  youAreBanned: { en: "You are banned from this room.", ru: "Вам закрыт доступ в эту комнату." },
  theyAreBanned: {
    en: "This person is banned from the room. Lift the ban first.",
    ru: "Этому человеку закрыт доступ в комнату. Сначала откройте его.",
  },
  blocked: { en: "This account is blocked by the moderators.", ru: "Эту учётную запись заблокировали модераторы." },
  blockedUntil: {
    en: "This account is blocked by the moderators until {date}.",
    ru: "Эту учётную запись заблокировали модераторы до {date}.",
  },
  blockedReason: { en: "The reason: {reason}", ru: "Причина: {reason}" },
  lastOwner: {
    en: "A room keeps an owner. Make somebody else an owner first, or delete the room.",
    ru: "У комнаты должен быть владелец. Сначала назначьте другого или удалите комнату.",
  },
  appealedBefore: {
    en: "There was an appeal before. The answer of the moderators stands.",
    ru: "Жалобу уже рассматривали. Решение модераторов остаётся в силе.",
  },
  notBlocked: { en: "This account is not blocked.", ru: "Эта учётная запись не заблокирована." },
  withdrawn: { en: "This message was withdrawn meanwhile.", ru: "Это сообщение уже отозвали." },
  reportSelf: {
    en: "You cannot report yourself. Delete the message instead.",
    ru: "На себя не пожаловаться. Удалите сообщение.",
  },
  ownRole: {
    en: "You cannot change your own role. Another owner can.",
    ru: "Свою роль изменить нельзя. Это может другой владелец.",
  },
  linkExpired: {
    en: "This link has expired or was used already. Ask for another one.",
    ru: "Ссылка устарела или уже использована. Запросите новую.",
  },
  noInvitation: {
    en: "This invitation has ended, or never existed. Ask for another one.",
    ru: "Это приглашение больше не действует. Попросите новое.",
  },
  revokeOthers: {
    en: "Only who made this invitation, or who may give its role, can revoke it.",
    ru: "Отозвать приглашение может тот, кто его создал, или тот, кто вправе дать эту роль.",
  },
  tooManyInvitations: {
    en: "This room has {limit} open invitations, and can have no more. Revoke one first.",
    ru: "В комнате уже открыто приглашений: {limit}, больше нельзя. Сначала отзовите одно.",
  },
  tooManyOpen: {
    en: "This room has as many open invitations as it can. Revoke one first.",
    ru: "Больше открытых приглашений в этой комнате быть не может. Сначала отзовите одно.",
  },
  tooManyPins: {
    en: "This room has {limit} pinned messages, and can have no more. Unpin one first.",
    ru: "В комнате уже закреплено сообщений: {limit}, больше нельзя. Сначала открепите одно.",
  },
  tooManyKinds: {
    en: "This message has {limit} different reactions, and can have no more. Choose one of them.",
    ru: "У сообщения уже разных реакций: {limit}, больше нельзя. Выберите одну из них.",
  },
  tooManyBlocks: {
    en: "You block {limit} people, and can block no more. Unblock somebody first.",
    ru: "Вы уже заблокировали людей: {limit}, больше нельзя. Сначала разблокируйте кого-нибудь.",
  },
  roomHasOwner: {
    en: "This room has an owner who can log in. Ask them.",
    ru: "У комнаты есть владелец, который может войти. Обратитесь к нему.",
  },
  blockedOwner: {
    en: "This person is blocked and cannot own a room. Choose somebody else.",
    ru: "Этот человек заблокирован и не может владеть комнатой. Выберите другого.",
  },
  notWithdrawn: {
    en: "Moderation did not remove this message, or it is back already.",
    ru: "Модерация не убирала это сообщение, или оно уже вернулось.",
  },
  notInRoom: { en: "This person is not in the room any more.", ru: "Этого человека уже нет в комнате." },
  notBanned: { en: "This person is not banned any more.", ru: "Этот человек больше не исключён из комнаты." },
  noUser: { en: "This account does not exist any more.", ru: "Такой учётной записи больше нет." },
  emailTaken: {
    en: "Another account has this e-mail address. Give another one.",
    ru: "Этот адрес уже у другой учётной записи. Укажите другой.",
  },
  publicOnly: {
    en: "Newcomers can join public rooms only. Choose a public room.",
    ru: "Новички попадают только в открытые комнаты. Выберите открытую.",
  },
  statusOver: {
    en: "The end of the status has passed already. Choose a later one.",
    ru: "Этот срок статуса уже прошёл. Выберите более поздний.",
  },
  statusLength: {
    en: "A status has at most {limit} characters.",
    ru: "Статус не длиннее {limit} знаков.",
  },
  conflict: {
    en: "Somebody changed this meanwhile. Look at it again, and repeat your change.",
    ru: "Это уже изменили. Посмотрите ещё раз и повторите правку.",
  },
  notFound: { en: "This is not there any more.", ru: "Этого больше нет." },
  tooLong: { en: "This is too long. Make it shorter.", ru: "Слишком длинно. Сократите." },
  invalid: { en: "This value cannot be used. Change it.", ru: "Такое значение не подходит. Измените его." },
  badName: {
    en: "A name has 2 to 32 Latin letters, digits, _ - or . and must not be a reserved word.",
    ru: "В имени от 2 до 32 латинских букв, цифр, _ - или . и оно не из числа занятых слов.",
  },
  badRoomName: {
    en: "A room's name has 1 to 80 visible characters.",
    ru: "В названии комнаты от 1 до 80 видимых знаков.",
  },
  badPassword: {
    en: "Choose another password: 8 characters or more, not a common one and not your name.",
    ru: "Выберите другой пароль: от 8 знаков, не из частых и не ваше имя.",
  },
  badEmail: { en: "This is no e-mail address.", ru: "Это не похоже на адрес почты." },
  badDisplayName: {
    en: "A display name has 1 to 64 visible characters, and must not be reserved or look like a name that is.",
    ru: "Видимое имя — от 1 до 64 знаков; оно не должно выглядеть служебным.",
  },
});
