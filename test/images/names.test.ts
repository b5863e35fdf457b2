import { describe, expect, it } from "vitest";
import { canonicalName, packageRecipe, refuseUnlistedBase } from "../../src/images/bases.ts";
import { egressTo } from "../../src/network/egress.ts";
import { PINS, pulledBy, type PinName } from "../../src/images/pins.ts";

describe("the name of a base image", () => {
  it.each([
    ["debian", "docker.io", "library/debian", "latest"],
    ["debian:12-slim", "docker.io", "library/debian", "12-slim"],
    ["docker.io/debian:12", "docker.io", "library/debian", "12"],
    ["docker.io/library/debian:12", "docker.io", "library/debian", "12"],
    ["group/app", "docker.io", "group/app", "latest"],
    ["registry.example.org/app:1", "registry.example.org", "app", "1"],
    ["registry.example.org:5000/group/app", "registry.example.org:5000", "group/app", "latest"],
    ["localhost/app:1", "localhost", "app", "1"],
    ["127.0.0.1:5000/app", "127.0.0.1:5000", "app", "latest"],
    ["debian:12@sha256:abcd", "docker.io", "library/debian", "12"],
    ["debian@sha256:abcd", "docker.io", "library/debian", "latest"],
  ])("%s", (name, host, path, tag) => {
    expect(canonicalName(name)).toStrictEqual({ host, path, tag });
  });
});

describe("base images that packages make", () => {
  it.each([
    ["debian:11", "bullseye"],
    ["debian:bullseye-slim", "bullseye"],
    ["debian:12", "bookworm"],
    ["docker.io/library/debian:12-slim", "bookworm"],
    ["debian:bookworm", "bookworm"],
    ["debian:13-slim", "trixie"],
    ["docker.io/debian:trixie", "trixie"],
  ])("%s is Debian's %s", (name, suite) => {
    expect(packageRecipe(name)).toStrictEqual({ kind: "debian", suite });
  });

  it.each(["busybox", "busybox:1.36", "docker.io/library/busybox:latest"])("%s is busybox", (name) => {
    expect(packageRecipe(name)).toStrictEqual({ kind: "busybox" });
  });

  it.each([
    "debian",
    "debian:latest",
    "debian:10",
    "debian:12-backports",
    "alpine:3",
    "fedora:40",
    "group/debian:12",
    "registry.example.org/library/debian:12",
    "debian:constructor",
  ])("%s is none", (name) => {
    expect(packageRecipe(name)).toBeNull();
  });
});

describe("official images", () => {
  const names = Object.keys(PINS) as PinName[];

  it.each(names)("%s is pinned by digest, and pulled by it without a tag", (name) => {
    const { reference, digest, version } = PINS[name];
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(reference).toContain(version);
    const [pulled, by] = pulledBy(name).split("@");
    expect(by).toBe(digest);
    expect(reference.startsWith(`${pulled}:`)).toBe(true);
  });

  it("are five different ones", () => {
    expect(new Set(names.map(pulledBy)).size).toBe(5);
  });
});

describe("a base image of a change that is not trusted", () => {
  const { allowsHost } = egressTo(["registry-1.docker.io", "quay.io", "registry.example:5000"]);
  const mirrors = [{ registry: "gcr.io", host: "mirror.example.org", insecure: false }];

  it.each([
    "debian:12",
    "docker.io/library/busybox",
    "quay.io/x/y:1",
    "registry.example:5000/x",
    "gcr.io/x/y",
  ])("may be %s", (name) => {
    expect(() => refuseUnlistedBase(name, mirrors, allowsHost)).not.toThrow();
  });

  it.each([
    "169.254.169.254/latest/meta-data",
    "127.0.0.1:5000/x",
    "localhost:5000/x",
    "localhost/x",
    "10.0.0.1/x",
    "[::1]:5000/x",
    "registry.example/x",
    "quay.io:8443/x",
    "evil.example/quay.io",
    "a b.example/x",
  ])("is not %s, which the engine would be led to", (name) => {
    expect(() => refuseUnlistedBase(name, mirrors, allowsHost)).toThrow(
      expect.objectContaining({ code: "not-trusted" }),
    );
  });
});
