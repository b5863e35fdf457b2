import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { touchesTemplate } from "../../src/answer-forge.ts";
import type { AnswerChange } from "../../src/channels/types.ts";
import { startGithubFake } from "../fakes/github.ts";
import { startGitlabFake } from "../fakes/gitlab.ts";
import type { GitStore } from "../fakes/git-store.ts";
import { startStory, type Story } from "./forge-story.ts";
import type { Files } from "./projects.ts";

/** One forge with one project, as both forges can be spoken of. */
export type ForgeDoor = {
  project: string;
  git: GitStore;
  /** The web process with this line behind it. */
  start(answer: AnswerChange): Promise<Story>;
  open(author: "writer" | "stranger", files: Files): number;
  push(number: number, files: Files): void;
  /** Sends the event of the number's newest commit, and waits until it is worked off. */
  deliver(story: Story, number: number): Promise<number>;
  headOf(number: number): string;
  bodies(number: number): string[];
  /** Everything that must never be read by anybody. */
  secrets(): string[];
  close(): Promise<void>;
};

export type OpenForge = (files: Files, options: { private: boolean }) => Promise<ForgeDoor>;

let deliveries = 0;
const nextDelivery = () => `d-${(deliveries += 1)}`;

const manifest = parse(readFileSync(join(import.meta.dirname, "../../app.yml"), "utf8")) as {
  default_permissions: Record<string, string>;
};

/** GitHub with `writer` as its only collaborator. */
export const openGithub: OpenForge = async (files, options) => {
  const project = "acme/images";
  const secret = "a-github-secret-of-32-characters";
  const fake = await startGithubFake({ permissions: manifest.default_permissions });
  fake.addRepository(project, files, options);
  fake.setPermission(project, "writer", "write");
  const github = {
    appId: fake.app.id,
    privateKey: fake.app.privateKey,
    webhookSecrets: [secret],
    apiUrl: fake.url,
    webhookPath: "/github/hooks",
  };
  return {
    project,
    git: fake.git,
    start: (answer) => startStory({ forge: { github, gitlab: null }, answer, touchesTemplate }),
    open: (author, changed) => fake.openPull(project, { author, title: "Use kaniko", files: changed }),
    push: (number, changed) => void fake.push(project, number, changed),
    async deliver(story, number) {
      const event = fake.event(project, number, "synchronize", { secret, delivery: nextDelivery() });
      const status = await story.deliver(event);
      await story.idle();
      return status;
    },
    headOf: (number) => fake.headOf(project, number),
    bodies: (number) => fake.commentsOf(project, number).map((comment) => comment.body),
    secrets: () => [secret, fake.app.privateKey.split("\n")[1] ?? "", "ghs_fake"],
    close: () => fake.close(),
  };
};

/** GitLab with `writer` as its only Developer. */
export const openGitlab: OpenForge = async (files, options) => {
  const project = "acme/images";
  const token = "a-gitlab-secret-of-32-characters";
  const fake = await startGitlabFake();
  fake.addProject(project, files, options);
  fake.setAccessLevel(project, "writer", 30);
  const gitlab = { url: fake.url, token: fake.token, webhookSecrets: [token], webhookPath: "/gitlab/hooks" };
  return {
    project,
    git: fake.git,
    start: (answer) => startStory({ forge: { github: null, gitlab }, answer, touchesTemplate }),
    open: (author, changed) =>
      fake.openMergeRequest(project, { author, title: "Use kaniko", files: changed }),
    push: (number, changed) => void fake.push(project, number, changed),
    async deliver(story, number) {
      const event = { action: "update", oldrev: "0".repeat(40), id: nextDelivery(), proof: { token } };
      const status = await story.deliver(fake.event(project, number, event));
      await story.idle();
      return status;
    },
    headOf: (number) => fake.headOf(project, number),
    bodies: (number) => fake.notesOf(project, number).map((note) => note.body),
    secrets: () => [token, fake.token],
    close: () => fake.close(),
  };
};
