import type Docker from "dockerode";
import type { Engine } from "../src/executors/engine-connection.ts";

/** One question to the engine: which, with what, and when, by `performance.now`. */
export type Asked = { what: string; options: unknown; startMs: number; endMs: number };

/** The engine with a clock at its door: each question about containers is noted in `asked`. */
export function timedEngine(engine: Engine, asked: Asked[]): Engine {
  const docker = timed(engine.docker, ["createContainer", "getEvents"], asked, (name, answer) =>
    name === "createContainer"
      ? timed(answer as Docker.Container, ["putArchive", "start", "exec", "remove"], asked, (_, it) => it)
      : answer,
  );
  return { ...engine, docker };
}

function timed<T extends object>(
  target: T,
  names: readonly string[],
  asked: Asked[],
  answered: (name: string, answer: unknown) => unknown,
): T {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== "function") return member;
      const call = member.bind(object) as (...args: unknown[]) => unknown;
      if (typeof name !== "string" || !names.includes(name)) return call;
      return async (...args: unknown[]) => {
        const startMs = performance.now();
        try {
          return answered(name, await call(...args));
        } finally {
          asked.push({ what: name, options: args[0], startMs, endMs: performance.now() });
        }
      };
    },
  });
}
