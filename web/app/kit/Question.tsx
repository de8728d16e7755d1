/** Asks before something that cannot be undone. */
import { useTexts } from "../texts.ts";
import { Button } from "./Button.tsx";
import { Dialog } from "./Dialog.tsx";
import { KIT } from "./texts.ts";

export function Question(props: {
  title: string;
  text: string;
  verb: string;
  isDangerous?: boolean;
  onAnswer: (yes: boolean) => void;
}) {
  const { title, text, verb, isDangerous = true, onAnswer } = props;
  const t = useTexts(KIT);
  const actions = (
    <>
      <Button autoFocus={isDangerous} onPress={() => onAnswer(false)}>
        {t("cancel")}
      </Button>
      <Button look={isDangerous ? "danger" : "primary"} autoFocus={!isDangerous} data-testid="confirm" onPress={() => onAnswer(true)}>
        {verb}
      </Button>
    </>
  );
  return (
    <Dialog title={title} onClose={() => onAnswer(false)} actions={actions} testid="confirm-dialog">
      <p>{text}</p>
    </Dialog>
  );
}
