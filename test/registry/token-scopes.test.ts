import { describe, expect, it } from "vitest";
import { allowedActions, readScopes, type Scope } from "../../src/registry/token-scopes.ts";

describe("scopes of the token protocol", () => {
  it("are read one by one, between spaces, with classes and with colons in names", () => {
    expect(
      readScopes([
        "repository:group/app:pull,push",
        "repository(plugin):a:pull repository:host:5000/b:push",
        "registry:catalog:*",
      ]),
    ).toStrictEqual([
      { type: "repository", name: "group/app", actions: ["pull", "push"] },
      { type: "repository", name: "a", actions: ["pull"] },
      { type: "repository", name: "host:5000/b", actions: ["push"] },
      { type: "registry", name: "catalog", actions: ["*"] },
    ]);
  });

  it("of one repository are one scope, each action once: a push and a mount from it", () => {
    expect(
      readScopes(["repository:a:pull", "repository:b:pull,push", "repository:a:push,pull"]),
    ).toStrictEqual([
      { type: "repository", name: "a", actions: ["pull", "push"] },
      { type: "repository", name: "b", actions: ["pull", "push"] },
    ]);
  });

  it("may name nothing", () => {
    expect(readScopes([])).toStrictEqual([]);
    expect(readScopes([""])).toStrictEqual([]);
    expect(readScopes(["repository:a:"])).toStrictEqual([{ type: "repository", name: "a", actions: [] }]);
  });

  it.each(["repository", "repository:a", "repository::pull", ":a:pull", "repository:a:PULL", "a b"])(
    "%s is none",
    (text) => {
      expect(readScopes([text])).toBeNull();
    },
  );

  it("are at most 100", () => {
    const scopes = (count: number) =>
      Array.from({ length: count }, (_, index) => `repository:r${index}:pull`);
    expect(readScopes(scopes(100))).toHaveLength(100);
    expect(readScopes(scopes(101))).toBeNull();
  });
});

describe("who may do what", () => {
  const of = (name: string, ...actions: string[]): Scope => ({ type: "repository", name, actions });
  const readable = { contributor: "contributor", upstreamReadable: true };
  const unreadable = { ...readable, upstreamReadable: false };
  const all = ["pull", "push", "delete", "*"];

  it.each([
    ["upstream", "qemu-project/qemu/app", readable, ["pull", "push", "delete"]],
    ["upstream", "library/debian", readable, ["pull", "push", "delete"]],
    ["upstream", "contributor/qemu/app", readable, []],
    ["contributor", "contributor/qemu/app", readable, ["pull", "push", "delete"]],
    ["contributor", "contributor/qemu/app", unreadable, ["pull", "push", "delete"]],
    ["contributor", "qemu-project/qemu/app", readable, ["pull"]],
    ["contributor", "qemu-project/qemu/app", unreadable, []],
    // A name that only starts alike is not the fork's.
    ["contributor", "contributors/app", readable, ["pull"]],
    ["contributor", "contributor", readable, ["pull"]],
    [null, "qemu-project/qemu/app", readable, []],
    [null, "contributor/qemu/app", readable, []],
  ] as const)("%s at %s", (user, name, rules, allowed) => {
    expect(allowedActions(user, of(name, ...all), rules)).toStrictEqual(allowed);
  });

  it("nobody lists the registry", () => {
    const catalog: Scope = { type: "registry", name: "catalog", actions: ["*"] };
    expect(allowedActions("upstream", catalog, readable)).toStrictEqual([]);
  });
});
