/** The whole: appearance, language, cache, session; then the frame or the sign-in page. */
import { QueryClientProvider } from "@tanstack/react-query";
import { App as AntApp, ConfigProvider, Spin } from "antd";
import english from "antd/locale/en_US";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { BrowserRouter } from "react-router";
import { queries } from "../api/queries";
import { ErrorBoundary, Failure } from "../parts/Failure";
import { language, speak, type Language } from "../words";
import { AppearanceProvider, tokens, useAppearance } from "./appearance";
import { Frame } from "./Frame";
import { nonce } from "./nonce";
import { useSession } from "./session";
import { SignIn } from "./SignIn";
import "./console.css";

const locales: Record<Language, () => Promise<{ default: typeof english }>> = {
  "zh-CN": () => import("./locale-zh"),
  en: () => import("./locale-en"),
};

export function App() {
  return (
    <AppearanceProvider>
      <QueryClientProvider client={queries}>
        <Dressed />
      </QueryClientProvider>
    </AppearanceProvider>
  );
}

function Dressed() {
  const { dark } = useAppearance();
  const { i18n } = useTranslation();
  // From the first moment there is one: where it came later, all below would be made anew, and what
  // somebody had typed would be gone.
  const [locale, setLocale] = useState(english);
  useEffect(() => {
    void locales[i18n.language as Language]().then((loaded) => setLocale(loaded.default));
  }, [i18n.language]);
  return (
    <ConfigProvider
      locale={locale}
      theme={tokens(dark)}
      csp={{ nonce }}
      button={{ autoInsertSpace: false }}
    >
      <AntApp className="sanhe-app">
        <ErrorBoundary>
          <BrowserRouter>
            <Gate />
          </BrowserRouter>
        </ErrorBoundary>
      </AntApp>
    </ConfigProvider>
  );
}

/** The sign-in page until somebody is signed in. */
function Gate() {
  const { data: session, error, refetch } = useSession();
  const wanted = session?.state === "signed_in" ? session.language : null;
  useEffect(() => {
    if ((wanted === "zh-CN" || wanted === "en") && !localStorage.getItem("sanhe.language.chosen"))
      if (wanted !== language()) void speak(wanted);
  }, [wanted]);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!session) return <Spin fullscreen />;
  if (session.state !== "signed_in") return <SignIn first={session.state === "first_account"} />;
  return <Frame session={session} />;
}
