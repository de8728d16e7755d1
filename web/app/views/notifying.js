/** Notifications: the offer, the settings, those of a room, and the sound. */
import { ApiError } from "../core/api.ts";
import { h } from "../core/dom.js";
import { concerns, FOR_EVER, listZones, muteUntil } from "../core/notifying.ts";
import { fullTime } from "../core/time.ts";
import { field, form, openDialog } from "./dialog.js";

const LEVELS = { "": "As usual", all: "All messages", mentions: "Mentions and replies", nothing: "Nothing" };
const LANGUAGES = { "": "As the server has it", en: "English", ru: "Русский" };
const MUTES = { "": "No", hour: "For an hour", hours: "For 8 hours", tomorrow: "Until tomorrow, 8:00", always: "Always" };
const EXPLAINED = {
  unsupported: "This browser cannot show notifications of this page, or the server sends none.",
  denied:
    "This browser blocks notifications of this page. Allow them in its settings for this site, which the icon beside the " +
    "address opens, and load the page again.",
};

/**
 * A quiet line that offers notifications, after the first message that concerns the user.
 * @param {import("../core/app.ts").App} app
 */
export function notificationOffer(app) {
  const line = h("div", { class: "offer", role: "status", hidden: true, data: { testid: "push-offer" } });
  const end = () => line.replaceChildren() ?? (line.hidden = true);
  const button = (text, testid, run) =>
    h("button", { type: "button", class: "link-button", text, data: { testid }, onclick: run });
  app.on("arrived", ({ event }) => {
    if (!line.hidden || !app.notifying?.offers || !concerns(event, app.store.me?.id ?? "")) return;
    line.replaceChildren(
      h("span", { text: "Do you want notifications of messages to you on this device?" }),
      button("Turn on", "push-accept", async () => {
        end();
        await turnOn(app);
      }),
      button("No, thanks", "push-dismiss", () => {
        app.notifying?.dismiss();
        end();
      }),
    );
    line.hidden = false;
  });
  app.on("session", ({ phase }) => phase !== "in" && end());
  return line;
}

/** Ask for permission, and subscribe. What is wrong is said. @param {import("../core/app.ts").App} app */
async function turnOn(app) {
  const notifying = /** @type {import("../core/notifying.ts").Notifying} */ (app.notifying);
  try {
    await notifying.turnOn();
    if (notifying.state === "denied") app.notice(EXPLAINED.denied, "error");
  } catch (error) {
    const why = error instanceof ApiError ? error.message : "The push service of this browser cannot be reached.";
    app.notice(why, "error");
  }
}

/** @param {import("../core/app.ts").App} app */
export async function notificationsDialog(app) {
  /** @type {any} */
  let settings = null;
  if (!(await app.attempt(async () => (settings = await app.notifying?.settings()))) || !settings) return;
  await openDialog("Notifications", (close) => [deviceSection(app), settingsForm(app, settings, close)], {
    testid: "notifications-dialog",
  });
}

/** @param {import("../core/app.ts").App} app */
function deviceSection(app) {
  const notifying = /** @type {import("../core/notifying.ts").Notifying} */ (app.notifying);
  const note = h("p", { class: "dialog-text", role: "status", data: { testid: "device-note" } });
  const here = check("On this device, also while the page is closed", "push-here", false);
  const sound = check("A sound, while the page is open", "sound", notifying.sound);
  const show = () => {
    const { state } = notifying;
    here.input.checked = state === "on";
    here.input.disabled = state === "unsupported" || state === "denied";
    note.textContent = EXPLAINED[state] ?? "";
    note.hidden = !note.textContent;
  };
  here.input.addEventListener("change", async () => {
    if (here.input.checked) await turnOn(app);
    else await app.attempt(() => notifying.turnOff());
    show();
  });
  sound.input.addEventListener("change", () => (notifying.sound = sound.input.checked));
  show();
  return h("section", { class: "notify-device" }, here.box, note, sound.box);
}

/** @param {import("../core/app.ts").App} app @param {any} settings @param {() => void} close */
function settingsForm(app, settings, close) {
  const push = check("On my devices", "push", settings.push);
  const email = check("By e-mail, of what stays unread", "email", settings.email);
  const hide = check("Without the text of messages", "hide_texts", settings.hide_texts);
  const level = choice("Rooms", "default_level", LEVELS, settings.default_level, "In rooms of more than 200 members, “all” is mentions and replies.");
  const language = choice("Language", "language", LANGUAGES, settings.language);
  const quiet = check("Quiet hours", "quiet", Boolean(settings.quiet_hours));
  const { from: first = "22:00", to: last = "07:00" } = settings.quiet_hours ?? {};
  const begin = clock("From", "quiet_begin", first);
  const end = clock("To", "quiet_end", last);
  const chosen = settings.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = Object.fromEntries(listZones(chosen).map((name) => [name, name.replaceAll("_", " ")]));
  const zone = choice("Time zone", "time_zone", zones, chosen, "Of your quiet hours, and of the times in mails.");
  const hours = h("div", { class: "notify-hours" }, begin.box, end.box);
  const showHours = () => (hours.hidden = !quiet.input.checked);
  quiet.input.addEventListener("change", showHours);
  showHours();
  return form({
    fields: [level, language, zone],
    extra: [push.box, email.box, hide.box, quiet.box, hours],
    verb: "Save",
    testid: "notifications-form",
    submit: async () => {
      await app.notifying?.change({
        push: push.input.checked,
        email: email.input.checked,
        hide_texts: hide.input.checked,
        default_level: level.input.value || null,
        language: language.input.value || null,
        time_zone: zone.input.value,
        quiet_hours: quiet.input.checked ? { from: begin.input.value, to: end.input.value } : null,
      });
      close();
      app.notice("Your choice was saved.");
    },
  });
}

/** What of one room the user is notified of. @param {import("../core/app.ts").App} app @param {any} conversation */
export async function roomNotificationsDialog(app, conversation) {
  /** @type {any} */
  let settings = null;
  if (!(await app.attempt(async () => (settings = await app.notifying?.settings()))) || !settings) return;
  const known = settings.rooms[conversation.id] ?? { level: null, muted_until: null };
  const now = Date.now();
  const muted = known.muted_until > now;
  const level = choice("Notify of", "level", LEVELS, known.level);
  const mutes = muted ? { keep: describeMute(known.muted_until), ...MUTES } : MUTES;
  const mute = choice("Mute", "mute", mutes, muted ? "keep" : "");
  await openDialog(
    `Notifications of ${conversation.name}`,
    (close) => [
      form({
        fields: [level, mute],
        verb: "Save",
        testid: "room-notifications-form",
        submit: async () => {
          const until = mute.input.value === "keep" ? known.muted_until : muteUntil(mute.input.value, Date.now());
          await app.notifying?.change({ rooms: { [conversation.id]: { level: level.input.value || null, muted_until: until } } });
          close();
        },
      }),
    ],
    { testid: "room-notifications-dialog" },
  );
}

/** @param {number} until */
function describeMute(until) {
  return until >= FOR_EVER ? "Always, as now" : `Until ${fullTime(new Date(until).toISOString())}, as now`;
}

/** @param {string} label @param {string} name @param {boolean} checked */
function check(label, name, checked) {
  const input = h("input", { type: "checkbox", name, checked, data: { testid: name } });
  return { input, box: h("label", { class: "check" }, input, h("span", { text: label })) };
}

/** @param {string} label @param {string} name @param {Record<string, string>} options @param {string | null} chosen @param {string} [hint] */
function choice(label, name, options, chosen, hint = "") {
  const input = h(
    "select",
    { class: "input", data: { testid: name } },
    ...Object.entries(options).map(([value, text]) => h("option", { value, text, selected: value === (chosen ?? "") })),
  );
  return field({ label, name, hint, input });
}

/** @param {string} label @param {string} name @param {string} value */
function clock(label, name, value) {
  const input = h("input", { type: "time", class: "input", data: { testid: name } });
  input.value = value;
  return field({ label, name, input });
}

/**
 * A short sound for what concerns the user, while nobody looks at its conversation.
 * @param {import("../core/app.ts").App} app
 */
export function playSounds(app) {
  /** @type {AudioContext | null} */
  let audio = null;
  app.on("arrived", ({ conversation, event }) => {
    const looked = document.hasFocus() && conversation.key === app.openKey;
    if (looked || !app.notifying?.sound || !concerns(event, app.store.me?.id ?? "")) return;
    // A browser lets no page sound before somebody has used it.
    if (!navigator.userActivation?.hasBeenActive) return;
    audio ??= new AudioContext();
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const begin = audio.currentTime;
    tone.frequency.setValueAtTime(660, begin);
    tone.frequency.setValueAtTime(880, begin + 0.09);
    volume.gain.setValueAtTime(0.08, begin);
    volume.gain.exponentialRampToValueAtTime(0.0001, begin + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 0.3);
  });
}
