/** What lies over the page: a dialog in the middle, a sheet from below on phones, a popover at what was pressed. */
import { type ReactElement, type ReactNode, useRef } from "react";
import {
  Dialog as AriaDialog,
  DialogTrigger,
  Heading,
  Modal,
  ModalOverlay,
  Popover as AriaPopover,
  type PopoverProps,
} from "react-aria-components";
import { ClosesByBack, useCloseByBack } from "../shell/back.ts";
import { useTexts } from "../texts.ts";
import { IconButton } from "./IconButton.tsx";
import styles from "./Dialog.module.css";
import { KIT } from "./texts.ts";
import { useReturnedFocus } from "./useReturnedFocus.ts";

export interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Buttons below; the one that does it comes last. */
  actions?: ReactNode;
  size?: "normal" | "wide" | "page";
  /** Whether it may be closed by a press outside of it. */
  isDismissable?: boolean;
  testid?: string;
}

/** In the middle; on phones, from below. It is open while it is there. */
export function Dialog({ title, onClose, children, actions, size = "normal", isDismissable = true, testid }: DialogProps) {
  const t = useTexts(KIT);
  useCloseByBack(onClose);
  useReturnedFocus();
  return (
    <ModalOverlay
      isOpen
      isDismissable={isDismissable}
      onOpenChange={(open) => !open && onClose()}
      className={styles.veil}
    >
      <Modal className={`${styles.modal} ${styles[size]}`}>
        <AriaDialog className={styles.dialog} data-testid={testid}>
          <header className={styles.head}>
            <Heading slot="title" className={styles.title}>
              {title}
            </Heading>
            <IconButton icon="close" label={t("close")} onPress={onClose} />
          </header>
          <div className={styles.body}>{children}</div>
          {actions && <footer className={styles.actions}>{actions}</footer>}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** From below, at any width: what a long press opens on a phone. */
export function Sheet({ label, onClose, children, testid }: { label: string; onClose: () => void; children: ReactNode; testid?: string }) {
  useCloseByBack(onClose);
  useReturnedFocus();
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => !open && onClose()} className={`${styles.veil} ${styles.low}`}>
      <Modal className={styles.sheet}>
        <AriaDialog className={styles.dialog} aria-label={label} data-testid={testid}>
          <div className={styles.grip} aria-hidden="true" />
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** At `trigger`, the button that opens it. */
export function Popover(props: {
  label: string;
  trigger: ReactElement;
  placement?: PopoverProps["placement"];
  children: ReactNode | ((close: () => void) => ReactNode);
}) {
  const { label, trigger, placement = "bottom end", children } = props;
  return (
    <DialogTrigger>
      {trigger}
      <AriaPopover className={styles.popover} placement={placement} offset={6}>
        <AriaDialog aria-label={label} className={styles.dialog}>
          {({ close }) => (
            <>
              <ClosesByBack close={close} />
              {typeof children === "function" ? children(close) : children}
            </>
          )}
        </AriaDialog>
      </AriaPopover>
    </DialogTrigger>
  );
}

/** At an element that was pressed, and no button of it: open while it is there. */
export function PopoverAt(props: { label: string; at: Element; onClose: () => void; children: ReactNode; testid?: string }) {
  const { label, at, onClose, children, testid } = props;
  const anchor = useRef(at);
  return (
    <AriaPopover
      isOpen
      triggerRef={anchor}
      className={styles.popover}
      placement="bottom start"
      offset={6}
      onOpenChange={(open) => !open && onClose()}
    >
      <ClosesByBack close={onClose} />
      <AriaDialog aria-label={label} className={styles.dialog} data-testid={testid}>
        {children}
      </AriaDialog>
    </AriaPopover>
  );
}
