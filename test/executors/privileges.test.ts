import { describe, expect, it } from "vitest";
import { daemonPrivileges } from "../../src/executors/privileges.ts";

const status = (bounding: string) =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapBnd:\t${bounding}\nCapAmb:\t0\n`;

describe("privileges of a daemon", () => {
  it("are all of them where this machine has every capability, or does not tell", () => {
    // Kernels since 5.9 know three more than the 38 that can be named.
    expect(daemonPrivileges(undefined, status("000001ffffffffff"))).toStrictEqual({ kind: "privileged" });
    expect(daemonPrivileges(undefined, status("0000003fffffffff"))).toStrictEqual({ kind: "privileged" });
    expect(daemonPrivileges(undefined, "")).toStrictEqual({ kind: "privileged" });
  });

  it("are named where one is missing", () => {
    // Bits 0 (CHOWN), 21 (SYS_ADMIN) and 37 (AUDIT_READ).
    expect(daemonPrivileges(undefined, status("0000002000200001"))).toStrictEqual({
      kind: "capabilities",
      names: ["CHOWN", "SYS_ADMIN", "AUDIT_READ"],
    });
  });

  it("are as a setting says", () => {
    expect(daemonPrivileges("privileged", status("0000000000000001"))).toStrictEqual({ kind: "privileged" });
    const named = daemonPrivileges("capabilities", status("0000003fffffffff"));
    expect(named.kind === "capabilities" ? named.names.length : 0).toBe(38);
  });
});
