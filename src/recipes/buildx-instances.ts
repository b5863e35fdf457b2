import type { BuilderId } from "../domain/recipe.ts";
import { BUILDX_CREATE } from "./flag-tables.ts";
import { isOn, parseFlags, valuesOf } from "./flags.ts";
import type { Flag } from "./flags.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { literal, reasons, render } from "./value.ts";

/** Instances that a job has made with `docker buildx create`, and which of them is in use. */
export type BuildxInstances = {
  /** Driver of each instance by its name as written. */
  drivers: Map<string, string>;
  /** Instance that `docker buildx build` uses; null: the engine itself. */
  current: string | null;
  /** Why it is not sure that `current` is in use. */
  doubt: string | null;
  /** After `docker buildx install`, `docker build` uses `current`, too. */
  installed: boolean;
};

/** The builder of one command; `why` is set where it cannot be told for sure. */
export type ChosenBuilder = { builder: BuilderId; why: string | null };

const UNNAMED = "an instance without a name";

/** A job's instances at its start: none. */
export function noInstances(): BuildxInstances {
  return { drivers: new Map(), current: null, doubt: null, installed: false };
}

/** Takes in `docker buildx create`, `use`, `rm` and `install`; `words` are those after the action. */
export function followBuildx(
  instances: BuildxInstances,
  action: string,
  command: ShellCommand,
  words: readonly Field[],
): void {
  if (action === "install") instances.installed = true;
  if (action === "uninstall") instances.installed = false;
  const { flags, operands } = parseFlags(words, BUILDX_CREATE);
  if (action === "create") {
    const name = valuesOf(flags, "name").at(-1);
    const driver = valuesOf(flags, "driver").at(-1);
    const id = name === undefined ? UNNAMED : render(name);
    instances.drivers.set(id, driver === undefined ? "docker-container" : render(driver));
    if (isOn(flags, "use") === true) use(instances, id, command);
  }
  const [operand] = operands;
  if (action === "use" && operand !== undefined) {
    // `docker buildx use $(docker buildx create)`: the substitution has been followed already.
    const made = render(operand.value).includes("buildx create");
    use(instances, made ? UNNAMED : render(operand.value), command);
  }
  if (action === "rm" && operand !== undefined && render(operand.value) === instances.current) {
    instances.current = null;
  }
}

function use(instances: BuildxInstances, name: string, command: ShellCommand): void {
  instances.current = name === "default" ? null : name;
  // `docker buildx inspect x || docker buildx create --use` ends with x either way.
  const real = command.conditions.filter((condition) => !/buildx|docker context/.test(condition));
  instances.doubt = real.length === 0 ? null : `the builder depends on a condition: ${real.join(", ")}`;
}

/** The builder that a build command uses. `docker build` uses an instance only where it is told to. */
export function chooseBuilder(
  instances: BuildxInstances,
  command: ShellCommand,
  flags: readonly Flag[],
  isBuildx: boolean,
): ChosenBuilder {
  const given = valuesOf(flags, "builder").at(-1) ?? command.environment("BUILDX_BUILDER");
  if (given !== null && given.length > 0) {
    const driver = instances.drivers.get(render(given));
    if (driver !== undefined) return ofDriver(driver, null);
    if (literal(given) === "default") return { builder: "docker", why: null };
    const why = reasons(given)[0] ?? `the buildx builder ${render(given)} is not created in this job`;
    return { builder: "buildkit", why };
  }
  if (!isBuildx && !instances.installed) return { builder: "docker", why: null };
  if (instances.current === null) return { builder: "docker", why: null };
  const driver = instances.drivers.get(instances.current);
  if (driver !== undefined) return ofDriver(driver, instances.doubt);
  return { builder: "buildkit", why: `the buildx builder ${instances.current} is not created in this job` };
}

function ofDriver(driver: string, doubt: string | null): ChosenBuilder {
  if (driver === "docker") return { builder: "docker", why: doubt };
  const isKnown = /^(?:docker-container|kubernetes|remote|cloud)$/.test(driver);
  return { builder: "buildkit", why: isKnown ? doubt : `the buildx driver ${driver} is not known` };
}
