/** The old views that components still show. `legacy.d.ts` says their types. */
export { closeDialogs, unsentDialog } from "./views/dialog.js";
