/** The figures of the period: value, change against the period before, distance to target. */
import { ArrowDownOutlined, ArrowUpOutlined, MinusOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import type { Tile } from "../../api/types";
import { useFormat, useUnit } from "../../parts/format";

export const wantsMore = (tile: Tile) => tile.better === "higher";

export function Tiles({ tiles, before }: { tiles: Tile[]; before: string | null }) {
  const { t } = useTranslation();
  const show = useUnit();
  return (
    <section className="tiles" aria-label={t("cockpit.tiles")}>
      {tiles.map((tile) => (
        <div key={tile.name} className="panel tile">
          <div className="muted">{t(`kpi.${tile.name}`, { defaultValue: tile.name })}</div>
          <div className="tile-value numeric">{show(tile.value, tile.unit)}</div>
          <Change tile={tile} before={before} />
          <div className="muted small">
            {tile.target !== null
              ? t("cockpit.target", { value: show(tile.target, tile.unit) })
              : t("cockpit.noTarget")}
          </div>
        </div>
      ))}
    </section>
  );
}

function Change({ tile, before }: { tile: Tile; before: string | null }) {
  const { t } = useTranslation();
  const show = useUnit();
  const format = useFormat();
  if (tile.value === null || tile.before === null)
    return <div className="small muted">{t("cockpit.noBefore")}</div>;
  const change = tile.value - tile.before;
  const good = change === 0 ? "" : change > 0 === wantsMore(tile) ? "good" : "bad";
  const moved = Math.abs(change);
  const Icon = change > 0 ? ArrowUpOutlined : change < 0 ? ArrowDownOutlined : MinusOutlined;
  return (
    <div className="small">
      <span className={`numeric ${good}`}>
        <Icon /> {tile.unit === "share" ? format.points(moved) : show(moved, tile.unit)}
      </span>
      <div className="muted">
        {t("cockpit.from", { value: show(tile.before, tile.unit), day: format.date(before) })}
      </div>
    </div>
  );
}
