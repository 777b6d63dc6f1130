/** Signing in by name or at an OpenID provider, or making the first account. */
import { Alert, Button, Divider, Form, Input, Select, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { Failure } from "../parts/Failure";
import { language, speak, type Language } from "../words";
import { useSession, useSigning } from "./session";

type Entered = { name: string; password: string; again?: string; code?: string };

export function SignIn({ first }: { first: boolean }) {
  const { t } = useTranslation();
  const { data: session } = useSession();
  return (
    <main className="sign-in">
      <section className="sign-in-card">
        <header>
          <img src="/icon.svg" alt="" width={36} height={36} />
          <Typography.Title level={1}>{t(first ? "signIn.first" : "signIn.title")}</Typography.Title>
        </header>
        {first && <p className="muted">{t("signIn.firstHint")}</p>}
        <Refused />
        {session?.provider && <AtProvider label={session.provider} />}
        {session?.provider && session.passwords && <Divider plain>{t("signIn.or")}</Divider>}
        {session?.passwords !== false && <ByName first={first} />}
        <LanguageChoice />
      </section>
    </main>
  );
}

/** Why the provider's word let nobody in, as the server told in the address. */
function Refused() {
  const { t } = useTranslation();
  const why = new URLSearchParams(location.search).get("refused");
  if (!why) return null;
  const told = t([`signIn.refused.${why}`, "signIn.refused.provider"]);
  return <Alert type="error" showIcon className="failure" title={told} />;
}

/** The way to the OpenID provider, and back to the page that was asked for. */
function AtProvider({ label }: { label: string }) {
  const { t } = useTranslation();
  const asked = new URLSearchParams(location.search);
  asked.delete("refused");
  const back = asked.size ? `${location.pathname}?${asked}` : location.pathname;
  return (
    <Button size="large" block href={`/api/session/oidc?back=${encodeURIComponent(back)}`}>
      {t("signIn.at", { label })}
    </Button>
  );
}

function ByName({ first }: { first: boolean }) {
  const { t } = useTranslation();
  const { signIn, makeFirst } = useSigning();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [code, setCode] = useState(false);
  const submit = async ({ name, password, code }: Entered) => {
    setBusy(true);
    setError(undefined);
    try {
      await (first ? makeFirst({ name, password }) : signIn({ name, password, code }));
    } catch (failed) {
      if (failed instanceof Problem && failed.place === "code") setCode(true);
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  const required = [{ required: true, message: t("signIn.required") }];
  return (
    <>
      {error !== undefined && <Failure error={error} />}
      <Form<Entered> layout="vertical" requiredMark={false} onFinish={submit}>
        <Form.Item name="name" label={t("signIn.name")} rules={required}>
          <Input autoFocus autoComplete="username" size="large" />
        </Form.Item>
        <Form.Item
          name="password"
          label={t("signIn.password")}
          extra={first ? t("signIn.passwordHint") : undefined}
          rules={first ? [...required, { min: 12, message: t("signIn.tooShort") }] : required}
        >
          <Input.Password
            autoComplete={first ? "new-password" : "current-password"}
            size="large"
            visibilityToggle={{}}
          />
        </Form.Item>
        {first && (
          <Form.Item
            name="again"
            label={t("signIn.again")}
            dependencies={["password"]}
            rules={[
              ...required,
              ({ getFieldValue }) => ({
                validator: (_, value) =>
                  !value || value === getFieldValue("password")
                    ? Promise.resolve()
                    : Promise.reject(new Error(t("signIn.different"))),
              }),
            ]}
          >
            <Input.Password autoComplete="new-password" size="large" />
          </Form.Item>
        )}
        {!first &&
          (code ? (
            <Form.Item name="code" label={t("signIn.code")}>
              <Input inputMode="numeric" autoComplete="one-time-code" size="large" />
            </Form.Item>
          ) : (
            <Button type="link" className="bare" onClick={() => setCode(true)}>
              {t("signIn.haveCode")}
            </Button>
          ))}
        <Button type="primary" htmlType="submit" size="large" block loading={busy}>
          {t(first ? "signIn.make" : "signIn.submit")}
        </Button>
      </Form>
    </>
  );
}

export function LanguageChoice() {
  const { t } = useTranslation();
  return (
    <Select<Language>
      aria-label={t("frame.language")}
      className="sign-in-language"
      variant="borderless"
      value={language()}
      onChange={(chosen) => {
        localStorage.setItem("sanhe.language.chosen", "1");
        void speak(chosen);
      }}
      options={[
        { value: "zh-CN", label: "简体中文" },
        { value: "en", label: "English" },
      ]}
    />
  );
}
