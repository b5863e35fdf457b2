import { Problem } from "../../src/domain/problem.ts";

/** Faults that reading a file ends with; empty where it has none. Anything but the expected Problem is thrown on. */
export function faultsOf(read: () => unknown, code: "configuration" | "project-file"): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof Problem && error.code === code) return error.details;
    throw error;
  }
  return [];
}
