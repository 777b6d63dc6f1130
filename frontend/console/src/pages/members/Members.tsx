/** Membership: one member's points, stored value and coupons; or what all may still ask for. */
import { Input } from "antd";
import { useTranslation } from "react-i18next";
import { useMay } from "../../app/session";
import { useScope } from "../../app/scope";
import { Empty } from "../../parts/Empty";
import { PageHead } from "../../parts/PageHead";
import { Liability } from "./Liability";
import { Member } from "./Member";

export default function Members() {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const may = useMay();
  const member = filters.member;
  return (
    <div className="page">
      <PageHead page="members" />
      {may("members.read") && (
        <div className="filters">
          <Input.Search
            key={member}
            className="member-box"
            defaultValue={member}
            allowClear
            maxLength={64}
            aria-label={t("members.code")}
            placeholder={t("members.code")}
            enterButton={t("members.look")}
            onSearch={(code) => set({ member: code.trim(), of: undefined })}
          />
        </div>
      )}
      {member && may("members.read") ? (
        <Member key={member} code={member} />
      ) : may("loyalty.read") ? (
        <Liability />
      ) : (
        <Empty what={t("members.noneChosen")} todo={t("members.noneChosenTodo")} />
      )}
    </div>
  );
}
