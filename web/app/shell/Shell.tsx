/** The page of a signed-in user: the lists, what the address names, a side panel; one of them at a time on a phone. */
import { lazy, type ReactNode, Suspense, useDeferredValue, useEffect, useState, useSyncExternalStore } from "react";
import { Boundary } from "../Boundary.tsx";
import { loadLater } from "../late.tsx";
import { followAttention } from "../attention/follow.ts";
import { NavigationContext, useApp } from "../context.ts";
import { ConversationScreen } from "../conversation/ConversationScreen.tsx";
import { useStatusEnds } from "../people/StatusText.tsx";
import { Sidebar } from "../sidebar/Sidebar.tsx";
import { PHONE, useMedia } from "../sidebar/useMedia.ts";
import { useTitle } from "../sidebar/useTitle.ts";
import { Overlays } from "../switcher/Overlays.tsx";
import { useTexts } from "../texts.ts";
import { useCaseWatch } from "../moderation/useCaseWatch.ts";
import { Navigation, type Screen } from "./navigation.ts";
import { PAGES } from "./pages.ts";
import { MAIN, SkipLink } from "./SkipLink.tsx";
import { TabBar } from "./TabBar.tsx";
import { SHELL } from "./texts.ts";

const JoinOffer = lazy(async () => ({ default: (await import("../welcome/JoinOffer.tsx")).JoinOffer }));
const Welcome = lazy(() => import("../welcome/Welcome.tsx"));
const ModerationPage = lazy(async () => ({ default: (await import("../moderation/ModerationPage.tsx")).ModerationPage }));
const Panel = lazy(async () => ({ default: (await import("../panels/Panel.tsx")).Panel }));

export function Shell() {
  const app = useApp();
  const [navigation] = useState(() => new Navigation(app));
  const place = useSyncExternalStore(navigation.subscribe, () => navigation.place);
  const { panel } = place;
  // The first screen is drawn in parts, between which the browser answers, and what it hides on a phone after it.
  const isOpening = useDeferredValue(place.screen.kind === "opening");
  const isOpened = useDeferredValue(!isOpening, false);
  const screen: Screen = isOpening ? { kind: "opening" } : place.screen;
  useEffect(() => navigation.begin(), [navigation]);
  useEffect(() => followAttention(app), [app]);
  const isPhone = useMedia(PHONE);
  const column = columnOf(screen);
  useEffect(() => void (!isOpening && column !== "conversation" && loadLater()), [isOpening, column]);
  useTitle();
  useStatusEnds();
  useCaseWatch();
  return (
    <NavigationContext value={navigation}>
      <div className="shell" data-screen={column} data-panel={panel ?? undefined}>
        {!isPhone && <SkipLink />}
        <Lists isAlone={isPhone && column === "list"}>{(isOpened || !isPhone || column === "list") && <Sidebar />}</Lists>
        <main className="main" id={MAIN} tabIndex={-1}>
          <Boundary key={nameOf(screen)}>
            <Suspense>
              <CurrentScreen screen={screen} />
            </Suspense>
          </Boundary>
        </main>
        <div className="panel-box">
          <Boundary>
            <Suspense>{panel && <Panel which={panel} />}</Suspense>
          </Boundary>
        </div>
        <TabBar screen={screen} />
      </div>
      <Overlays />
    </NavigationContext>
  );
}

/** On a phone they are all that one sees, and so what the page is about. */
function Lists({ isAlone, children }: { isAlone: boolean; children: ReactNode }) {
  const t = useTexts(SHELL);
  return (
    <div className="lists" role={isAlone ? "main" : undefined}>
      {isAlone && <h1 className="visually-hidden">{t("chats")}</h1>}
      {children}
    </div>
  );
}

/** Which one thing a phone shows; "page" is one that the tabs below lead to. */
function columnOf({ kind }: Screen): "list" | "page" | "conversation" {
  return kind === "home" ? "list" : kind === "page" ? "page" : "conversation";
}

/** One that failed is not drawn in the place of another one. */
function nameOf(screen: Screen): string {
  return screen.kind === "page" ? screen.name : screen.kind === "conversation" ? screen.conversation.key : screen.kind;
}

function CurrentScreen({ screen }: { screen: Screen }) {
  switch (screen.kind) {
    case "conversation":
      return <ConversationScreen key={screen.conversation.key} {...screen} />;
    case "offer":
      return <JoinOffer key={screen.room.id} room={screen.room} />;
    case "moderation":
      return <ModerationPage key={screen.tab} tab={screen.tab} />;
    case "page": {
      const Page = PAGES[screen.name];
      return Page ? <Page rest={screen.rest} /> : <Welcome />;
    }
    case "opening":
      return null;
    default:
      return <Welcome />;
  }
}
