/** What forms say: errors by their code, and never the server's own words. */
import { defineTexts } from "../texts.ts";

export const FORMS = defineTexts("forms", {
  needed: { en: "This is needed.", ru: "Заполните это поле." },
  show: { en: "Show the password", ru: "Показать пароль" },
  hide: { en: "Hide the password", ru: "Скрыть пароль" },
  strength: { en: "Strength of the password", ru: "Надёжность пароля" },
  weak: { en: "Weak: make it longer", ru: "Слабый: сделайте длиннее" },
  fair: { en: "Fair: a few more words make it good", ru: "Средний: добавьте ещё слов" },
  good: { en: "Good", ru: "Хороший" },
  strong: { en: "Strong", ru: "Надёжный" },
  unreachable: {
    en: "The server cannot be reached. Check the connection, and try again.",
    ru: "Нет связи с сервером. Проверьте подключение и повторите.",
  },
  wrong_login: { en: "The name or the password is wrong.", ru: "Неверное имя или пароль." },
  wrong_password: { en: "The password is wrong.", ru: "Неверный пароль." },
  name_taken: { en: "This name is taken. Choose another.", ru: "Это имя занято. Выберите другое." },
  rate_limited: {
    en: "Too many attempts. Wait {seconds, plural, one {# second} other {# seconds}}, and try again.",
    ru: "Слишком много попыток. Подождите {seconds, plural, one {# секунду} few {# секунды} other {# секунд}} и повторите.",
  },
  forbidden: { en: "You may not do this here.", ru: "Здесь у вас нет такого права." },
  closed: {
    en: "Accounts are made by invitation here, or by the operator alone. Ask for one.",
    ru: "Здесь регистрируют по приглашению или через администратора. Попросите доступ.",
  },
  blocked: { en: "This account is blocked by the moderators.", ru: "Эту учётную запись заблокировали модераторы." },
  blockedReason: { en: "The reason: {reason}", ru: "Причина: {reason}" },
  blockedUntil: { en: "It lasts until {date}.", ru: "Она действует до {date}." },
  link_expired: {
    en: "This link has expired or was used already. Ask for another one.",
    ru: "Ссылка устарела или уже использована. Запросите новую.",
  },
  conflict: {
    en: "Somebody changed this meanwhile. Look at it again, and repeat your change.",
    ru: "Это уже изменили. Посмотрите ещё раз и повторите правку.",
  },
  not_found: { en: "This is not there any more.", ru: "Этого больше нет." },
  too_long: { en: "This is too long. Make it shorter.", ru: "Слишком длинно. Сократите." },
  failed: { en: "That did not work. Try again in a moment.", ru: "Не получилось. Повторите чуть позже." },
  invalid_name: {
    en: "A name has 2 to 32 Latin letters, digits, _ - or . and must not be a reserved word.",
    ru: "В имени от 2 до 32 латинских букв, цифр, _ - или . и оно не из числа занятых слов.",
  },
  invalid_password: {
    en: "Choose another password: 8 characters or more, not a common one and not your name.",
    ru: "Выберите другой пароль: от 8 знаков, не из частых и не ваше имя.",
  },
  invalid_email: { en: "This is no e-mail address.", ru: "Это не похоже на адрес почты." },
  invalid_display_name: {
    en: "A display name has 1 to 64 visible characters, and must not look like an official one.",
    ru: "Видимое имя — от 1 до 64 знаков; оно не должно выглядеть служебным.",
  },
  invalid: { en: "This value cannot be used. Change it.", ru: "Такое значение не подходит. Измените его." },
});
