// The command as it is built: what tests start that look at it from outside.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { projectRoot } from "./bundle.js";

/** The script of the command. `npm test` has built it; a test that runs alone builds it when it is missing. */
export function commandScript(): string {
  const script = path.join(projectRoot, "dist/cli.js");
  if (!existsSync(script)) execFileSync(process.execPath, ["build.mjs"], { cwd: projectRoot });
  return script;
}
