/** The account: language, light or dark, signing out. */
import { UserOutlined } from "@ant-design/icons";
import { App, Button, Dropdown } from "antd";
import { useTranslation } from "react-i18next";
import { inWords } from "../api/client";
import { language, speak } from "../words";
import { useAppearance } from "./appearance";
import { useSigning, type Session } from "./session";

export function AccountMenu({ session }: { session: Session }) {
  const { t } = useTranslation();
  const { dark, setDark } = useAppearance();
  const { message } = App.useApp();
  const { signOut } = useSigning();
  const other = language() === "en" ? "zh-CN" : "en";
  const chosen = {
    language: () => {
      localStorage.setItem("sanhe.language.chosen", "1");
      void speak(other);
    },
    dark: () => setDark(!dark),
    out: () => void signOut().catch((error: Error) => message.error(inWords(error), 8)),
  };
  return (
    <Dropdown
      trigger={["click"]}
      menu={{
        onClick: ({ key }) => chosen[key as keyof typeof chosen]?.(),
        items: [
          {
            key: "who",
            type: "group",
            label: `${session.name} · ${session.roles.map((role) => t(`role.${role}`)).join(", ")}`,
          },
          { key: "language", label: other === "en" ? "English" : "简体中文" },
          { key: "dark", label: t(dark ? "frame.light" : "frame.dark") },
          { key: "version", label: t("frame.version", { version: session.version }), disabled: true },
          { type: "divider" },
          { key: "out", label: t("frame.signOut") },
        ],
      }}
    >
      <Button type="text" icon={<UserOutlined />} aria-label={t("frame.account")} />
    </Dropdown>
  );
}
