// Both languages have the same words, each is used, and none that is used is missing.
// A key built at run time is written as a template, t(`term.${name}`): all of "term." then counts
// as used.
import { readFileSync, readdirSync } from "node:fs";

const root = new URL("..", import.meta.url).pathname;
const languages = ["zh-CN", "en"];

const flat = (words, prefix = "") =>
  Object.entries(words).flatMap(([name, value]) =>
    typeof value === "string" ? [[prefix + name, value]] : flat(value, `${prefix}${name}.`),
  );

const words = languages.map(
  (language) => new Map(flat(JSON.parse(readFileSync(`${root}src/words/${language}.json`, "utf8")))),
);
const source = readdirSync(`${root}src`, { recursive: true })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => readFileSync(`${root}src/${name}`, "utf8"))
  .join("\n");

const wrong = [];
languages.forEach((language, at) => {
  for (const key of words[1 - at].keys())
    if (!words[at].has(key)) wrong.push(`${language} lacks ${key}`);
  for (const [key, value] of words[at]) if (!value.trim()) wrong.push(`${language} ${key} is empty`);
});
const marks = (text) => [...text.matchAll(/\{\{(\w+)/g)].map((mark) => mark[1]).sort().join();
for (const [key, value] of words[0])
  if (words[1].has(key) && marks(value) !== marks(words[1].get(key)))
    wrong.push(`${key} names other values in each language`);

const literals = new Set([...source.matchAll(/"([\w-]+(?:\.[\w-]+)+)"/g)].map((found) => found[1]));
const prefixes = [...source.matchAll(/`([\w-]+(?:\.[\w-]+)*\.)\$\{/g)].map((found) => found[1]);
const plural = /_(one|other)$/;
const known = new Set([...words[0].keys()].map((key) => key.replace(plural, "")));
for (const key of known)
  if (!literals.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)))
    wrong.push(`nothing uses ${key}`);
for (const found of source.matchAll(/\bt\(\s*"([^"]+)"/g))
  if (!known.has(found[1])) wrong.push(`no words for ${found[1]}`);

if (wrong.length) {
  console.error(wrong.sort().join("\n"));
  process.exit(1);
}
console.log(`${words[0].size} words in ${languages.length} languages, all used`);
