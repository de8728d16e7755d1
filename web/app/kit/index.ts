/** The components of which all views are made. `#/gallery` shows each in every state. */
export { Avatar, Presence } from "./Avatar.tsx";
export type { PresenceState } from "./people.ts";
export { Badge } from "./Badge.tsx";
export { Button } from "./Button.tsx";
export { Dialog, Popover, PopoverAt, Sheet } from "./Dialog.tsx";
export { Choice, Field, Fields, NativeSelect, Select, Switch, type Option } from "./Field.tsx";
export { Icon } from "./Icon.tsx";
export { IconButton } from "./IconButton.tsx";
export { Menu, MenuList, type MenuEntry } from "./Menu.tsx";
export { closeOverlays, confirmed, showOverlay } from "./overlays.tsx";
export { EmptyState, ErrorState, Skeleton } from "./States.tsx";
export { Tabs, type TabSpec } from "./Tabs.tsx";
