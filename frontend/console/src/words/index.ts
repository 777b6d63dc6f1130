/** The console's words: only those of the language in use are loaded. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

export type Language = "zh-CN" | "en";

const loaders = {
  "zh-CN": () => import("./zh-CN.json"),
  en: () => import("./en.json"),
} as const;

/** The language chosen here before, else the browser's, else Chinese. */
function preferred(): Language {
  const kept = localStorage.getItem("sanhe.language");
  if (kept === "zh-CN" || kept === "en") return kept;
  return navigator.language.startsWith("en") ? "en" : "zh-CN";
}

export async function startWords(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: undefined,
    resources: {},
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  await speak(preferred());
}

/** Switch the language, and remember it. */
export async function speak(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, "translation")) {
    const words = await loaders[language]();
    i18next.addResourceBundle(language, "translation", words.default);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  localStorage.setItem("sanhe.language", language);
}

export const language = (): Language => i18next.language as Language;
