import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import {
  cpuCount,
  editChoice,
  memorySize,
  minutes,
  names,
  oneOf,
  projectPath,
  wholeNumber,
} from "../../src/terminal/options.ts";

const refused = (call: () => unknown, message: string) => {
  expect(call).toThrow(InvalidArgumentError);
  expect(call).toThrow(message);
};

describe("options of the command line", () => {
  it("--repeats is a whole number within its bounds", () => {
    const repeats = wholeNumber(1, 20);
    expect(["1", "20", " 3 "].map(repeats)).toStrictEqual([1, 20, 3]);
    for (const text of ["0", "21", "2.5", "three", "", "-1", "NaN", "Infinity"]) {
      refused(() => repeats(text), "It must be a whole number from 1 to 20.");
    }
  });

  it("--cpus is a number that an engine can give", () => {
    expect(["0.01", "1.5", "64"].map(cpuCount)).toStrictEqual([0.01, 1.5, 64]);
    for (const text of ["0", "0.001", "-2", "", " ", "two", "Infinity", "1e9"]) {
      refused(() => cpuCount(text), "It must be a number from 0.01 to 1024.");
    }
  });

  it("--timeout is no longer than a timer can hold", () => {
    expect(["0.1", "60", "10080"].map(minutes)).toStrictEqual([0.1, 60, 10_080]);
    for (const text of ["0", "0.01", "10081", "40000", "soon"]) {
      refused(() => minutes(text), "It must be a number from 0.1 to 10080.");
    }
    expect(minutes("10080") * 60_000).toBeLessThan(2 ** 31);
  });

  it.each([
    ["8g", 8 * 1024 ** 3],
    ["8G", 8 * 1024 ** 3],
    ["8GiB", 8 * 1024 ** 3],
    ["8gb", 8 * 1024 ** 3],
    ["1.5g", 1.5 * 1024 ** 3],
    ["512m", 512 * 1024 ** 2],
    ["32m", 32 * 1024 ** 2],
    ["40000k", 40_000 * 1024],
    ["8589934592", 8 * 1024 ** 3],
  ])("--memory %s is %d bytes", (text, bytes) => {
    expect(memorySize(text)).toBe(bytes);
  });

  it("--memory is no less than a build can start in", () => {
    expect(memorySize("32m")).toBe(33_554_432);
    for (const text of ["31m", "0", "8", "-8g", "8t", "g", "", "eight", "1e10", "8 g", "Infinity"]) {
      refused(() => memorySize(text), "It must be a size of at least 32m, for example 8g.");
    }
  });

  it("--edit is first, last or a number from 1", () => {
    expect(["first", "last", "1", "12"].map(editChoice)).toStrictEqual(["first", "last", 1, 12]);
    for (const text of ["0", "-1", "1.5", "middle", "", "First"]) {
      refused(() => editChoice(text), "It must be first, last or the number of a RUN.");
    }
  });

  it("--images are names between commas, and may be repeated", () => {
    expect(names("alder, birch,,cedar ")).toStrictEqual(["alder", "birch", "cedar"]);
    expect(names("birch", names("alder"))).toStrictEqual(["alder", "birch"]);
    expect(names(" , ")).toStrictEqual([]);
  });

  it("--format is one of its choices", () => {
    const format = oneOf("mail", "text");
    expect(format("mail")).toBe("mail");
    for (const text of ["html", "", "Mail", "mail "])
      refused(() => format(text), "It must be one of mail, text.");
  });

  it("--project is a path of GitLab's", () => {
    expect(["group/project", "a/b/c.d-e_f"].map(projectPath)).toStrictEqual(["group/project", "a/b/c.d-e_f"]);
    for (const text of [
      "project",
      "/group/project",
      "group/",
      "a//b",
      "../x",
      "a/..",
      "a/b c",
      "a/$(x)",
      "",
    ]) {
      refused(() => projectPath(text), "It must be group/project.");
    }
  });
});
