/** The whole page. */
import { lazy, Suspense, useSyncExternalStore } from "react";
import { I18nProvider } from "react-aria-components";
import { AuthPage } from "../auth/AuthPage.tsx";
import { Boundary } from "../Boundary.tsx";
import { AppContext } from "../context.ts";
import { Overlays } from "../kit/overlays.tsx";
import { Rook } from "../kit/Rook.tsx";
import { Offer } from "../notifying/Offer.tsx";
import { Announcer } from "../status/Announcer.tsx";
import { ConnectionPill } from "../status/ConnectionPill.tsx";
import { Toasts } from "../status/Toasts.tsx";
import { useLanguage, useTexts } from "../texts.ts";
import { loadShell } from "./load.ts";
import type { Stage } from "./stage.ts";
import { SHELL } from "./texts.ts";

// Who logs in needs none of the chat, by far the largest part; and few come by the link of a mail.
const Shell = lazy(async () => ({ default: (await loadShell()).Shell }));
const MailLinkPage = lazy(async () => ({ default: (await import("../auth/MailLinkPage.tsx")).MailLinkPage }));

export function Root({ stage }: { stage: Stage }) {
  const { app } = stage;
  const language = useLanguage();
  return (
    <I18nProvider locale={language}>
      <AppContext value={app}>
        <ConnectionPill />
        <div className="page">
          <Boundary>
            <Suspense fallback={<Starting />}>
              <Phase stage={stage} />
            </Suspense>
          </Boundary>
        </div>
        <Offer />
        <Toasts />
        <Announcer />
        <Overlays />
      </AppContext>
    </I18nProvider>
  );
}

function Phase({ stage }: { stage: Stage }) {
  const state = useSyncExternalStore(stage.subscribe, () => stage.state);
  switch (state.phase) {
    case "starting":
      return <Starting />;
    case "out":
      return <AuthPage key={state.reason ?? ""} reason={state.reason} />;
    case "link":
      return <MailLinkPage key={state.visit} link={state.link} onDone={(reason) => stage.leaveMailLink(reason)} />;
    default:
      return <Shell key={state.visit} />;
  }
}

function Starting() {
  const t = useTexts(SHELL);
  return (
    <main className="starting">
      <Rook />
      <p>{t("starting")}</p>
    </main>
  );
}
