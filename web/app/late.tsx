/**
 * Components that are not needed for the first screen. Each is a chunk of its own, which loads when it is drawn first, or
 * when the browser has nothing else to do after the start: so a menu opens at once, and is there without a connection.
 */
import { type ComponentType, lazy, Suspense } from "react";
import { Boundary } from "./Boundary.tsx";

/** For each, in case that the browser never says that it is idle. */
const LATEST_MS = 10_000;
let isBegun = false;
const loaders = new Set<() => Promise<unknown>>();

/** Nothing is drawn in its place until it is there. What is around it stays on the screen. */
export function late<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  loaders.add(load);
  const Loaded = lazy(async () => ({ default: (await load()) as ComponentType<object> }));
  return function Late(props: Props) {
    return (
      <Boundary quiet>
        <Suspense>
          <Loaded {...props} />
        </Suspense>
      </Boundary>
    );
  };
}

/** Load them all, one after the other, whenever the browser is idle. What fails is loaded when it is drawn. */
export function loadLater(): void {
  if (!isBegun) void loadAll();
  isBegun = true;
}

async function loadAll(): Promise<void> {
  for (const load of loaders) {
    await new Promise<void>(whenIdle);
    await load().catch(() => {});
  }
}

function whenIdle(run: () => void): void {
  if (globalThis.requestIdleCallback === undefined) setTimeout(run, LATEST_MS / 50);
  else requestIdleCallback(run, { timeout: LATEST_MS });
}
