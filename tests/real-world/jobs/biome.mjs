import { done, loaded, sourceText } from "./engine.mjs";
const { Biome } = await import("@biomejs/js-api/nodejs");
const biome = new Biome();
const { projectKey } = biome.openProject("/p");
loaded();
const formatted = biome.formatContent(projectKey, sourceText, { filePath: "/p/a.js" });
const linted = biome.lintContent(projectKey, sourceText, { filePath: "/p/a.js" });
done(formatted.content, linted.diagnostics.map((one) => [one.category, one.location?.span ?? null]));
