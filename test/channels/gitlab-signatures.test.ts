import { describe, expect, it } from "vitest";
import { verifyGithub, verifyGitlab } from "../../src/channels/signatures.ts";

describe("published vectors", () => {
  it("GitHub's own example is authentic, in pieces too", () => {
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    const headers = {
      "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    };
    const verification = verifyGithub(headers, ["another", "It's a Secret to Everybody"]);
    for (const piece of ["Hello", ", ", "World!"]) verification?.update(Buffer.from(piece));
    expect(verification?.authentic()).toBe(true);
  });

  it("Standard Webhooks' own example is authentic within five minutes", () => {
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    const headers = {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,AAAA v1a,BBBB v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    };
    const secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
    const authentic = (nowMs: number): boolean | undefined => {
      const verification = verifyGitlab(headers, secrets, nowMs);
      verification?.update(Buffer.from('{"test": 2432232314}'));
      return verification?.authentic();
    };
    expect(authentic(1_614_265_330_000)).toBe(true);
    expect(authentic(1_614_265_330_000 + 300_000)).toBe(true);
    expect(authentic(1_614_265_330_000 + 300_001)).toBe(undefined);
  });
});

describe("headers that cannot be right", () => {
  it("are refused before the body", () => {
    expect(verifyGithub({}, ["s"])).toBe(null);
    expect(verifyGithub({ "x-hub-signature-256": "sha256=" }, ["s"])).toBe(null);
    expect(verifyGithub({ "x-hub-signature-256": `sha1=${"0".repeat(40)}` }, ["s"])).toBe(null);
    expect(verifyGitlab({}, ["token"], 0)).toBe(null);
    expect(verifyGitlab({ "x-gitlab-token": "" }, [""], 0)).toBe(null);
    expect(verifyGitlab({ "x-gitlab-token": "toke" }, ["token"], 0)).toBe(null);
    expect(verifyGitlab({ "webhook-signature": "v1,AAAA", "webhook-id": "a" }, ["whsec_AAAA"], 0)).toBe(null);
  });
});
