import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

export type Arrived = { raw: Buffer; from: string; to: string[] };

export type Mailbox = AsyncDisposable & {
  arrived: Arrived[];
  /** Where mail is taken, with the account that may send. */
  url: string;
};

/** A real SMTP server on loopback that keeps what arrives. It wants the given password. */
export async function openMailbox(password: string): Promise<Mailbox> {
  const arrived: Arrived[] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) => {
      if (auth.password === password) done(null, { user: auth.username });
      else done(new Error(`no ${auth.password}`));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom ? mailFrom.address : "";
        arrived.push({ raw: Buffer.concat(chunks), from, to: rcptTo.map((one) => one.address) });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    arrived,
    url: `smtp://tare:${password}@127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}
