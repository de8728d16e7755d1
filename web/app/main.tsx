/**
 * The entry point: makes the app of the core, and shows the page.
 *
 * From the wire to the screen: `core/socket` keeps a connection open for `core/protocol` (sans-IO; with `threads`,
 * `track` and `outbox`), whose effects `core/app` applies to `core/store` (with `conversation` and `timeline`);
 * components watch the store. From the user to the wire: components call `core/messages`, `core/directory` and
 * `core/history`, which use `protocol` and `api`; `session` has the tokens for both. Everything in `core/` but `dom` runs
 * without a browser.
 */
import { startTransition } from "react";
import { createRoot } from "react-dom/client";
import { showAppearance } from "./appearance.ts";
import { keepPage, makeApp } from "./browser.ts";
import { followFailures, holdBuild } from "./build.ts";
import { playSounds } from "./notifying/sounds.ts";
import { followShared } from "./shared.ts";
import { keepInvite } from "./shell/invite.ts";
import { loadShell } from "./shell/load.ts";
import { Root } from "./shell/Root.tsx";
import { Stage } from "./shell/stage.ts";
import { beginLanguage } from "./texts.ts";

beginLanguage();
showAppearance();
holdBuild();
const app = await makeApp();
followFailures(app);
followShared(app);
keepInvite();
const stage = new Stage(app);
playSounds(app);
app.on("session", ({ phase }) => void (phase !== "out" && loadShell().catch(() => {})));
const root = document.querySelector("#root");
if (root) startTransition(() => createRoot(root).render(<Root stage={stage} />));
if (!stage.takeMailLink()) void app.start();
if (document.readyState === "complete") keepPage();
else addEventListener("load", keepPage);
