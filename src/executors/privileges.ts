import { readFileSync } from "node:fs";

/** Capabilities by bit number, as linux/capability.h counts them. */
const CAPABILITIES = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ"
).split(" ");

/** How a container that runs a daemon gets its rights: all of them, or every capability that this machine has, by name. */
export type DaemonPrivileges = { kind: "privileged" } | { kind: "capabilities"; names: string[] };

/**
 * `privileged` where this machine has every capability; else the list of those it has.
 * A machine that lacks one refuses `--privileged` as a whole.
 */
export function daemonPrivileges(setting: string | undefined, status = readStatus()): DaemonPrivileges {
  if (setting === "privileged") return { kind: "privileged" };
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const names = CAPABILITIES.filter((_, bit) => (bounding >> BigInt(bit)) & 1n);
  if (setting === undefined && (bounding === 0n || names.length === CAPABILITIES.length))
    return { kind: "privileged" };
  return { kind: "capabilities", names };
}

function readStatus(): string {
  try {
    return readFileSync("/proc/self/status", "utf8");
  } catch {
    return "";
  }
}
