import type { Command } from "commander";
import type { ExitCode } from "./exit-code.ts";
import { wholeNumber } from "./options.ts";
import type { OutboxOrder } from "./outbox-command.ts";

/** `tare outbox`: replies as the operator sees them. */
export function addOutbox(root: Command, finish: (code: ExitCode) => void): void {
  const outbox = root
    .command("outbox")
    .description("list replies that wait, hold them all back, let them go");
  const obey = async (order: OutboxOrder) => {
    const { outboxCommand } = await import("./outbox-command.ts");
    finish(await outboxCommand(order));
  };
  const number = wholeNumber(1, 2_147_483_647);
  outbox
    .command("list")
    .description("print what waits, is held, or may have arrived, and why nothing leaves")
    .action(async () => obey({ kind: "list" }));
  outbox
    .command("show")
    .description("print one reply, and what became of it")
    .argument("<number>", "as `tare outbox list` has it", number)
    .action(async (shown: number) => obey({ kind: "show", number: shown }));
  outbox
    .command("stop")
    .description("let no reply leave, until `tare outbox start`")
    .argument("<why>", "what the list is to say of it")
    .action(async (why: string) => obey({ kind: "stop", why }));
  outbox
    .command("start")
    .description("let replies leave again")
    .action(async () => obey({ kind: "start" }));
  outbox
    .command("release")
    .description("let a reply go that was held, given up or discarded")
    .argument("<number>", "as `tare outbox list` has it", number)
    .option("--again", "also one that may have arrived: it is sent a second time", false)
    .action(async (released: number, { again }: { again: boolean }) =>
      obey({ kind: "release", number: released, again }),
    );
  outbox
    .command("discard")
    .description("never send a reply that waits, is held, or may have arrived")
    .argument("<number>", "as `tare outbox list` has it", number)
    .action(async (discarded: number) => obey({ kind: "discard", number: discarded }));
}
