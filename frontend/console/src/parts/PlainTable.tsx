/** A short table that is here as a whole: the same columns as a paged one, without windows. */
import type { ReactNode } from "react";
import type { Column } from "./PagedTable";

type Props<Row> = {
  label: string;
  rows: Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  empty?: ReactNode;
};

export function PlainTable<Row>({ label, rows, columns, rowKey, empty }: Props<Row>) {
  if (!rows.length) return empty;
  return (
    <div className="scrolled" tabIndex={0} role="region" aria-label={label}>
      <table className="plain" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.name}
                scope="col"
                className={column.numeric ? "numeric" : ""}
                style={{ minWidth: column.width / 2 }}
              >
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.name} className={column.numeric ? "numeric" : ""}>
                  {column.show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
