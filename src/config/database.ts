import { join, resolve } from "node:path";
import { formatCount } from "../domain/quantities.ts";
import { Problem } from "../domain/problem.ts";

type Environment = Record<string, string | undefined>;

/** Where requests and replies are kept: a PostgreSQL of the operator's, or a private one below a directory. */
export type DatabaseConfig =
  | { kind: "operator's"; connectionString: string }
  | { kind: "private"; directory: string };

/**
 * DATABASE_URL names the operator's database, TARE_DATA the directory of a private one: `/var/lib/tare` for root, the
 * user's data directory otherwise. Problem `configuration` where neither can be meant.
 */
export function readDatabaseConfig(
  environment: Environment,
  user: { isRoot: boolean; home: string },
): DatabaseConfig {
  const url = environment["DATABASE_URL"]?.trim() ?? "";
  const faults: string[] = [];
  if (url !== "" && !/^postgres(?:ql)?:\/\/\S+$/u.test(url))
    faults.push("DATABASE_URL: must be a postgresql:// address");
  if (url !== "" && (environment["TARE_DATA"] ?? "") !== "")
    faults.push("TARE_DATA: is of no use beside DATABASE_URL");
  if (faults.length > 0) {
    throw new Problem(
      "configuration",
      `The settings have ${formatCount(faults.length, "fault")}.`,
      "Set these environment variables.",
      faults,
    );
  }
  if (url !== "") return { kind: "operator's", connectionString: url };
  const named = environment["TARE_DATA"] ?? "";
  if (named !== "") return { kind: "private", directory: resolve(named) };
  if (user.isRoot) return { kind: "private", directory: "/var/lib/tare" };
  const base = environment["XDG_DATA_HOME"] ?? "";
  return {
    kind: "private",
    directory: resolve(base === "" ? join(user.home, ".local/share") : base, "tare"),
  };
}
