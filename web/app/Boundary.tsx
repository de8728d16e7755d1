/** Holds what fails to load, or to be drawn, in its own place: the rest of the page goes on. */
import { Component, type ReactNode, useEffect, useState } from "react";
import { isOutdated, reload } from "./build.ts";
import { Button } from "./kit/Button.tsx";
import { SHELL } from "./shell/texts.ts";
import { useTexts } from "./texts.ts";

interface Props {
  readonly children: ReactNode;
  /** Draw nothing in the place of what failed: it lies over the page, which is complete without it. */
  readonly quiet?: boolean;
}

export class Boundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return this.props.quiet ? null : <Failed />;
  }
}

function Failed() {
  const t = useTexts(SHELL);
  const [outdated, setOutdated] = useState(false);
  useEffect(() => void isOutdated().then(setOutdated), []);
  return (
    <div className="failed" role="alert" data-testid="part-failed">
      <p>{t(outdated ? "newVersion" : "partFailed")}</p>
      <Button onPress={reload} data-testid="reload-page">
        {t("reload")}
      </Button>
    </div>
  );
}
