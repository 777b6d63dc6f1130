/** Nothing to show: says why, and what to do. */
import { Empty as AntEmpty } from "antd";
import type { ReactNode } from "react";

type Props = {
  what: string;
  todo?: string;
  children?: ReactNode;
  /** It stands in the place of a page, and is its heading. */
  page?: boolean;
};

export function Empty({ what, todo, children, page }: Props) {
  return (
    <AntEmpty
      className="empty"
      image={AntEmpty.PRESENTED_IMAGE_SIMPLE}
      description={
        <>
          {page ? <h1>{what}</h1> : <strong>{what}</strong>}
          {todo && <p className="muted">{todo}</p>}
        </>
      }
    >
      {children}
    </AntEmpty>
  );
}
