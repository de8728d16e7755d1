/** The keys that do something, in groups. */
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { Icon } from "../kit/Icon.tsx";
import { useCloseByBack } from "../shell/back.ts";
import { useTexts } from "../texts.ts";
import { GROUPS, keyNames } from "./keys.ts";
import css from "./Switcher.module.css";
import { KEYS } from "./texts.ts";

export default function KeySheet({ onClose }: { onClose: () => void }) {
  const t = useTexts(KEYS);
  useCloseByBack(onClose);
  const isMac = navigator.platform.startsWith("Mac");
  return (
    <ModalOverlay isOpen isDismissable className={css.veil} onOpenChange={(open) => !open && onClose()}>
      <Modal className={css.sheet}>
        <Dialog className={css.dialog} data-testid="key-sheet">
          <header className={css.title}>
            <Heading slot="title">{t("title")}</Heading>
            <button type="button" className="icon-button" aria-label={t("close")} onClick={onClose}>
              <Icon name="close" />
            </button>
          </header>
          {GROUPS.map(({ name, keys }) => (
            <section key={name} className={css.group}>
              <h3>{t(name)}</h3>
              <dl>
                {keys.map(({ does, press }) => (
                  <div key={does} className={css.pair}>
                    <dt>{t(does)}</dt>
                    <dd>
                      {keyNames(press, isMac).map((key) => (
                        <kbd key={key}>{key}</kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
