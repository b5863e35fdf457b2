import { textFile, type JobFile } from "../domain/job.ts";

/** Name and password at a registry; `host` is host:port as image references name it. */
export type Credentials = { host: string; username: string; password: string };

/**
 * What `docker login` leaves in a config.json, which containers-auth.json(5) shares: nothing where there is nobody to be.
 * In a file, not in an argument or a variable: those are shown to whoever lists processes and containers.
 */
export function authFile(credentials: Credentials | null, path: string): JobFile[] {
  if (credentials === null) return [];
  const { host, username, password } = credentials;
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return [textFile(path, `${JSON.stringify({ auths: { [host]: { auth } } })}\n`)];
}
