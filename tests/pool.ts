// A pool of child processes that work off jobs one by one: native code that crashes or hangs costs its job, no more.
//
// The program forks itself: in a child, `serveJobs` answers; in the parent, `runJobs` hands out. A job whose child ends
// or outlives the limit is answered by `lost`.
import { fork, type ChildProcess } from "node:child_process";

export interface PoolOptions<Job, Result> {
  readonly parallel: number;
  readonly seconds: number;
  /** Arguments for the child, by which the program knows that it is one. */
  readonly args: readonly string[];
  readonly lost: (job: Job, reason: string) => Result;
  readonly done: (job: Job, result: Result) => void;
  /** A child is replaced after so many jobs. */
  readonly jobsPerChild?: number;
}

/** In a child: answers each job that the parent sends. An answer that throws ends the child, with the stack as the reason. */
export function serveJobs<Job, Result>(answer: (job: Job) => Result | Promise<Result>): void {
  process.on("message", (job: Job) => {
    void (async () => {
      const result = await answer(job);
      process.send!(result as never);
    })().catch((error: unknown) => {
      process.send!({ poolError: (error as Error).stack ?? String(error) });
    });
  });
  process.on("disconnect", () => process.exit(0));
}

export async function runJobs<Job, Result>(jobs: readonly Job[], options: PoolOptions<Job, Result>): Promise<void> {
  let next = 0;
  const perChild = options.jobsPerChild ?? Infinity;
  const worker = async () => {
    let child: ChildProcess | undefined;
    let served = 0;
    while (next < jobs.length) {
      const job = jobs[next++]!;
      if (!child || served >= perChild) {
        child?.disconnect();
        child = fork(process.argv[1]!, [...options.args], { stdio: ["ignore", "inherit", "pipe", "ipc"], serialization: "advanced" });
        served = 0;
      }
      const { result, alive } = await ask(child, job, options);
      served++;
      if (!alive) child = undefined;
      options.done(job, result);
    }
    child?.disconnect();
  };
  await Promise.all(Array.from({ length: Math.min(options.parallel, jobs.length) }, worker));
}

function ask<Job, Result>(child: ChildProcess, job: Job, options: PoolOptions<Job, Result>): Promise<{ result: Result; alive: boolean }> {
  return new Promise((resolve) => {
    let late = false;
    let errors = "";
    const hear = (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-4000);
    };
    const finish = (result: Result, alive: boolean) => {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("close", onClose);
      child.stderr!.off("data", hear);
      resolve({ result, alive });
    };
    const onMessage = (message: Result | { poolError: string }) => {
      if (message !== null && typeof message === "object" && "poolError" in message) finish(options.lost(job, message.poolError), true);
      else finish(message as Result, true);
    };
    const onClose = (code: number | null, signal: string | null) => {
      const reason = late ? `no answer within ${options.seconds} s` : signal ? `the process ended by ${signal}` : `the process ended with code ${code}`;
      finish(options.lost(job, errors ? `${reason}: ${errors.trim()}` : reason), false);
    };
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, options.seconds * 1000);
    child.stderr!.on("data", hear);
    child.on("message", onMessage);
    child.on("close", onClose);
    child.send(job as never);
  });
}
