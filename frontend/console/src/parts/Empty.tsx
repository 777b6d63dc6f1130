/** Nothing to show: says why, and what to do. */
import { Empty as AntEmpty } from "antd";
import type { ReactNode } from "react";

export function Empty({ what, todo, children }: { what: string; todo?: string; children?: ReactNode }) {
  return (
    <AntEmpty
      className="empty"
      image={AntEmpty.PRESENTED_IMAGE_SIMPLE}
      description={
        <>
          <strong>{what}</strong>
          {todo && <p className="muted">{todo}</p>}
        </>
      }
    >
      {children}
    </AntEmpty>
  );
}
