/** What slides in over a page; the focus goes back where it came from as soon as it closes. */
import { Drawer, type DrawerProps } from "antd";
import { useEffect, useLayoutEffect, useRef } from "react";

export function SideDrawer(props: DrawerProps) {
  return (
    <>
      <FocusGoesBack open={!!props.open} />
      <Drawer focusable={{ focusTriggerAfterClose: false }} {...props} />
    </>
  );
}

/**
 * The drawer's own way gives the focus back once it has slid away: by then somebody may be typing
 * elsewhere, and their next key would go to the wrong place.
 *
 * Stands before the drawer, so that it sees where the focus was before the drawer takes it.
 */
function FocusGoesBack({ open }: { open: boolean }) {
  const before = useRef<Element | null>(null);
  useLayoutEffect(() => {
    if (open) before.current = document.activeElement;
  }, [open]);
  useEffect(() => {
    const now = document.activeElement;
    const free = now === document.body || now?.closest(".ant-drawer");
    if (!open && free && before.current instanceof HTMLElement)
      before.current.focus({ preventScroll: true });
  }, [open]);
  return null;
}
