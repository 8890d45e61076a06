// A headless Chromium, driven by the DevTools protocol over a pipe: just what the explorer's tests need, no package.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The command that starts Chromium here; undefined where there is none. `CHROMIUM` names another. */
export function findChromium(): string | undefined {
  const wanted = process.env["CHROMIUM"];
  return (wanted ? [wanted] : names).find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, any>;
  readonly sessionId?: string;
  readonly result?: Record<string, any>;
  readonly error?: { readonly message: string };
}

export class Chromium {
  private nextId = 1;
  private readonly waiting = new Map<number, { resolve(result: Record<string, any>): void; reject(error: Error): void }>();
  private readonly pages = new Map<string, Page>();
  private rest = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
  ) {
    const output = child.stdio[4] as Readable;
    output.setEncoding("utf8");
    output.on("data", (text: string) => {
      const parts = (this.rest + text).split("\0");
      this.rest = parts.pop()!;
      for (const part of parts) this.receive(JSON.parse(part) as Message);
    });
    child.on("exit", () => {
      for (const { reject } of this.waiting.values()) reject(new Error("chromium has ended"));
    });
  }

  static async launch(command: string): Promise<Chromium> {
    const profile = mkdtempSync(path.join(tmpdir(), "lathe-chromium-"));
    const child = spawn(
      command,
      ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-extensions", `--user-data-dir=${profile}`, "--remote-debugging-pipe", "about:blank"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    return new Chromium(child, profile);
  }

  async open(url: string, width = 1280, height = 800, dark = false): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId as string);
    this.pages.set(sessionId as string, page);
    await page.send("Performance.enable", { timeDomain: "threadTicks" });
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await page.send(`${domain}.enable`);
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await page.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
    await page.send("Page.navigate", { url });
    return page;
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, any>> {
    const id = this.nextId++;
    (this.child.stdio[3] as Writable).write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  private receive(message: Message): void {
    if (message.id !== undefined) {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.error) waiting?.reject(new Error(message.error.message));
      else waiting?.resolve(message.result ?? {});
    } else if (message.sessionId !== undefined) this.pages.get(message.sessionId)?.event(message.method!, message.params!);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    await this.send("Browser.close").catch(() => {});
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 3000);
    await ended;
    clearTimeout(timer);
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class Page {
  /** URLs asked of a network: none of a file's own. */
  readonly requests: string[] = [];
  /** What the page wrote to the console as an error, and what it threw. */
  readonly errors: string[] = [];

  constructor(
    private readonly browser: Chromium,
    private readonly session: string,
  ) {}

  send(method: string, params: object = {}): Promise<Record<string, any>> {
    return this.browser.send(method, params, this.session);
  }

  event(method: string, params: Record<string, any>): void {
    if (method === "Network.requestWillBeSent" && !/^(data|blob|file|about):/.test(params["request"].url)) this.requests.push(params["request"].url);
    if (method === "Runtime.exceptionThrown") this.errors.push(params["exceptionDetails"].exception?.description ?? params["exceptionDetails"].text);
    if (method === "Runtime.consoleAPICalled" && params["type"] === "error") this.errors.push(params["args"].map((arg: { value?: unknown; description?: string }) => arg.value ?? arg.description).join(" "));
    if (method === "Log.entryAdded" && params["entry"].level === "error") this.errors.push(params["entry"].text);
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value as T;
  }

  /** Waits until an expression is true; one that throws is not true yet. @throws Error with the expression after so many ms. */
  async until(expression: string, ms = 20_000): Promise<void> {
    const end = performance.now() + ms;
    while (!(await this.evaluate<boolean>(`(() => { try { return Boolean(${expression}); } catch { return false; } })()`))) {
      if (performance.now() > end) throw new Error(`after ${ms} ms it is still not so: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The middle of the first element that a selector and a piece of its text name. */
  async place(selector: string, text = ""): Promise<{ x: number; y: number }> {
    const found = await this.evaluate<{ x: number; y: number } | null>(`(() => {
      const element = [...document.querySelectorAll(${JSON.stringify(selector)})].find((one) => one.textContent.includes(${JSON.stringify(text)}));
      if (!element) return null;
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + Math.min(width / 2, 60), y: y + height / 2 };
    })()`);
    if (!found) throw new Error(`nothing in the page fits ${selector} ${text}`);
    return found;
  }

  async move(selector: string, text?: string): Promise<void> {
    const at = await this.place(selector, text);
    await this.send("Input.dispatchMouseEvent", { type: "mouseMoved", ...at });
  }

  async click(selector: string, text?: string): Promise<void> {
    const at = await this.place(selector, text);
    await this.send("Input.dispatchMouseEvent", { type: "mouseMoved", ...at });
    for (const type of ["mousePressed", "mouseReleased"]) await this.send("Input.dispatchMouseEvent", { type, ...at, button: "left", clickCount: 1 });
  }

  /** Presses a key by its name (`a`, `?`, `Escape`, `ArrowRight`). */
  async key(key: string): Promise<void> {
    const text = key.length === 1 ? { text: key } : {};
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", key, ...text });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key });
  }

  async type(text: string): Promise<void> {
    await this.send("Input.insertText", { text });
  }

  /** Processor time of the page's main thread so far, ms. */
  async workMs(): Promise<number> {
    const { metrics } = await this.send("Performance.getMetrics");
    return (metrics as { name: string; value: number }[]).find(({ name }) => name === "TaskDuration")!.value * 1000;
  }

  /** A PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data as string, "base64");
  }

  async close(): Promise<void> {
    await this.send("Page.close");
  }
}
