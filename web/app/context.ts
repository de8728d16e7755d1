/** What components read: the running `App` of the core, what is watched of its store, and where one is. */
import { createContext, useCallback, useContext, useEffect, useRef, useSyncExternalStore } from "react";
import type { App, Signals } from "./core/app.ts";
import type { Store } from "./core/store.ts";
import type { Navigation } from "./shell/navigation.ts";

export const AppContext = createContext<App | null>(null);
export const NavigationContext = createContext<Navigation | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("there is no app around this component");
  return app;
}

/** Of a signed-in user's page alone. */
export function useNavigation(): Navigation {
  const navigation = useContext(NavigationContext);
  if (!navigation) throw new Error("there is no shell around this component");
  return navigation;
}

/**
 * The store, of which the component is drawn anew after each change of these topics ("rooms", `timeline:${key}`: see
 * `core/store`). The store's objects are changed in place, so don't pass them to `memo` as if they were values.
 */
export function useWatch(...topics: string[]): Store {
  const { store } = useApp();
  const listed = topics.join(" ");
  const subscribe = useCallback(
    (run: () => void) => {
      const ends = listed.split(" ").map((topic) => store.watch(topic, run));
      return () => ends.forEach((end) => end());
    },
    [store, listed],
  );
  useSyncExternalStore(subscribe, () => topics.reduce((sum, topic) => sum + store.version(topic), 0));
  return store;
}

/** Run something at each event that `App.emit` tells: "link", "notice", "arrived", … */
export function useAppEvent<Name extends keyof Signals>(name: Name, run: (detail: Signals[Name]) => void): void {
  const app = useApp();
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => app.on(name, (detail) => latest.current(detail)), [app, name]);
}
