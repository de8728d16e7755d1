/** The old views that components still show. `legacy.d.ts` says their types. */
export { accountDialog } from "./views/account.js";
export { closeDialogs, unsentDialog } from "./views/dialog.js";
export { notificationOffer, notificationsDialog, playSounds, roomNotificationsDialog } from "./views/notifying.js";
