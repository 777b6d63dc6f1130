/** Region × figure as a heat table: the better a region stands among the others, the greener. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Cockpit, Tile } from "../../api/types";
import { addressOf, useScope } from "../../app/scope";
import { useUnit } from "../../parts/format";
import { wantsMore } from "./Tiles";

type Region = Cockpit["regions"][number];

export function Regions({ regions, tiles }: { regions: Cockpit["regions"]; tiles: Tile[] }) {
  const { t } = useTranslation();
  const show = useUnit();
  const { shared } = useScope();
  const value = (region: Region, tile: Tile): number | null => {
    const found = (region as Record<string, unknown>)[tile.name];
    return typeof found === "number" ? found : null;
  };
  const figures = tiles.filter((tile) => regions.some((one) => value(one, tile) !== null));
  return (
    <div className="scrolled">
      <table className="heat">
        <thead>
          <tr>
            <th scope="col">{t("col.region")}</th>
            {figures.map((tile) => (
              <th key={tile.name} scope="col" className="numeric">
                {t(`kpi.${tile.name}`, { defaultValue: tile.name })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {regions.map((region) => (
            <tr key={region.region ?? ""}>
              <th scope="row">
                <Link to={addressOf("/cockpit", { ...shared, region: region.region ?? "" })}>
                  {region.region || t("scope.noRegion")}
                </Link>
              </th>
              {figures.map((tile) => {
                const all = regions.map((one) => value(one, tile) ?? 0);
                return (
                  <td key={tile.name} className={`numeric ${heat(value(region, tile), all, tile)}`}>
                    {show(value(region, tile), tile.unit)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** One of five shades by where a value lies between the worst and the best. */
function heat(value: number | null, all: number[], tile: Tile): string {
  const low = Math.min(...all);
  const high = Math.max(...all);
  if (value === null || high === low) return "";
  const share = (value - low) / (high - low);
  return `heat-${Math.round((wantsMore(tile) ? share : 1 - share) * 4)}`;
}
