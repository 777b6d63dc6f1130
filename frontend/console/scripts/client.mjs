// Regenerate src/api/schema.d.ts from the OpenAPI document of the server in this checkout.
// PYTHON names the interpreter that has sanhe installed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const root = new URL("..", import.meta.url).pathname;
const document = execFileSync(process.env.PYTHON ?? "python3", ["-m", "sanhe.web.openapi"], {
  maxBuffer: 2 ** 26,
});
const types = astToString(await openapiTS(document));
const digest = createHash("sha256").update(document).digest("hex");
const head = `// Made by \`make client\` from the OpenAPI document ${digest}. Don't edit.\n`;
writeFileSync(`${root}src/api/schema.d.ts`, head + types);
console.log(`src/api/schema.d.ts: ${types.split("\n").length} lines`);
