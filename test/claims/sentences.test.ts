import { describe, expect, it } from "vitest";
import { claimsIn, inShort } from "./texts.ts";

const read = (body: string) => claimsIn(body).map(inShort);

describe("claims that are recognised", () => {
  it.each<[string, string]>([
    // Storage
    ["It doubles our storage usage.", "storage 2"],
    ["The drawback is that this will double the storage that we use.", "storage 2"],
    [
      "With this change we would, at minimum, be doubling the amount of data storage in the registry.",
      "storage 2+",
    ],
    ["Switching to kaniko means we need twice the storage.", "storage 2"],
    ["From the first build on we have triple the registry usage.", "storage 3"],
    ["That takes 4x the disk space.", "storage 4"],
    ["We now store three times as much storage for every image.", "storage 3"],
    ["Our registry usage will double.", "storage 2"],
    ["The container storage grows by a factor of two.", "storage 2"],
    ["It stores every layer twice.", "storage 2"],
    ["This at least quadruples the size of our registry.", "storage 4+"],
    ["It does not help with forks, but it doubles our storage.", "storage 2"],
    // Growth
    ["Change a RUN once more and we have quadruple the storage.", "growth 4"],
    ["When a Dockerfile is edited in a RUN, we have triple the storage for the cache.", "growth 3"],
    ["Every RUN edit adds another set of layers to the cache.", "growth"],
    ["Each change to a Dockerfile leaves all its old layers in the registry.", "growth"],
    ["The cache grows with every edit.", "growth"],
    ["The cache repository will grow without bound.", "growth"],
    // Cleanup
    ["Cleanup stops the registry growing, but it will still double our storage.", "cleanup 2"],
    ["A cleanup policy keeps the growth in check.", "cleanup"],
    ["Even with cleanup this doubles our storage.", "cleanup 2"],
    // Forks
    ["Caching of course fails when I build in my fork.", "cache in forks fails"],
    ["The cache does not work in forks.", "cache in forks fails"],
    ["Forks get no cache.", "cache in forks fails"],
    ["The cache also works in forks.", "cache in forks works"],
    ["Forks use the upstream cache.", "cache in forks works"],
    // Compute
    ["This will burn through our compute minutes.", "compute burnt"],
    ["We can run without a cache. That burns through our CI credits.", "compute burnt without cache"],
    ["Building without cache uses more compute minutes.", "compute burnt without cache"],
    ["It saves a lot of CI minutes.", "compute saved"],
    // Memory
    ["Reproducible builds fail with an out of memory error.", "memory of reproducible"],
    [
      "Does not enable reproducible builds as that results in builds failing with an out of memory error.",
      "memory of reproducible",
    ],
    ["The kaniko builds run out of memory.", "memory"],
    ["The job is OOM-killed.", "memory"],
    // COPY and ADD
    ["No Dockerfile is using COPY or ADD instructions.", "copies from the context none"],
    ["None of our Dockerfiles uses `COPY`.", "copies from the context none"],
    ["Does not give a context since no Dockerfile uses COPY or ADD.", "copies from the context none"],
    ["Our Dockerfiles do not use COPY.", "copies from the context none"],
    ["This needs a context because some Dockerfiles use ADD.", "copies from the context some"],
    ["tests/docker/base.docker uses ADD.", "copies from the context some"],
    // Login
    ["I'm surprised there is no need to provide login credentials.", "login not needed"],
    ["Kaniko does not need a docker login.", "login not needed"],
    ["A login to the registry is not needed.", "login not needed"],
    ["The job still needs a docker login.", "login needed"],
    // Runners
    ["This fixes our k8s runners.", "runners fixed"],
    ["It no longer needs privileged mode.", "runners no privileges"],
    ["Kaniko works without docker-in-docker.", "runners no privileges"],
  ])("%s", (sentence, kind) => {
    expect(read(sentence)).toStrictEqual([kind]);
  });

  it.each<[string, string]>([
    ["Would it double our storage?", "storage 2?"],
    ["Doesn't this double our storage?", "storage 2?"],
    ["It doubles our storage, doesn't it?", "storage 2?"],
    ["Will this fix the k8s runners that fail in the upstream CI?", "runners fixed?"],
    ["Does the cache work in forks?", "cache in forks works?"],
    ["Could reproducible builds run out of memory?", "memory of reproducible?"],
  ])("asks: %s", (sentence, kind) => {
    expect(read(sentence)).toStrictEqual([kind]);
  });

  it("two in one sentence, each with the whole sentence", () => {
    const sentence = "It doubles our storage and the cache does not work in forks.";
    const claims = claimsIn(`Hello,\n\n${sentence} Bye.\n`);
    expect(claims.map((claim) => [inShort(claim), claim.quote])).toStrictEqual([
      ["storage 2", sentence],
      ["cache in forks fails", sentence],
    ]);
  });
});

describe("sentences that state nothing", () => {
  it.each([
    // Negated
    "This does not double our storage.",
    "It won't double our storage.",
    "This never doubles the registry usage.",
    "We get a cache without doubling our storage.",
    "That avoids doubling our storage.",
    "It is not true that it doubles our storage.",
    "It is not true, whatever the list holds, that this doubles our storage.",
    "Doubling our storage is not what happens.",
    "The storage would be doubling the registry usage only in a myth.",
    "It does not run out of memory: the builds never get out of memory errors.",
    "The cache never fails in forks.",
    "The cache does not fail in forks.",
    "The cache never works in forks.",
    "Every RUN edit adds nothing to the cache.",
    "Cleanup does not stop the growth of the registry.",
    "Our builds never run out of memory.",
    "This never saves any CI minutes.",
    "It is not because of the cache that no Dockerfile uses COPY.",
    "No login is needed to read it, and nobody needs a docker login is what I do not say.",
    "This does not fix the k8s runners.",
    "It is not true that no Dockerfile uses COPY.",
    // Hedged
    "I think it doubles our storage.",
    "This probably doubles our storage.",
    "It doubles our storage, I guess.",
    "IMHO it doubles our storage.",
    "It might double our storage.",
    "It seems to double our storage.",
    "I'm not convinced that it doubles our storage.",
    "It takes up to twice the storage.",
    "It takes less than double the storage.",
    "The cache apparently fails in forks.",
    // Conditional
    "If both are kept it doubles our storage.",
    "It doubles our storage unless the repositories are shared.",
    "When both repositories are kept it doubles our storage.",
    "Should we keep both, it would double our storage.",
    // Ironic
    "Sure, doubling our storage is just what we need :-)",
    "It doubles our storage, lovely, what could go wrong.",
    "Great, it doubles our storage.",
    // Others' words
    'You wrote "it doubles our storage" and I measured.',
    "Daniel says it doubles our storage.",
    "Your claim that it doubles our storage is about tags.",
    "The idea of doubling our storage is unappealing.",
    'It "doubles" our storage.',
    // Another project
    "In libvirt, it doubles the storage.",
    "For their project it doubles the storage.",
    "Another project has twice the storage.",
    "libvirt's registry has double the storage.",
    "It doubled the storage at my company.",
    // Other senses
    "Please double check the storage usage.",
    "Put double quotes around the storage variable.",
    "Use double the timeout.",
    "The names need double quotes.",
    "It doubles the memory usage.",
    "It uses twice the CPU time.",
    "I read the patch twice.",
    "Double is actually just the initial case.",
    "Would it double?",
    "The double-storage option is new.",
    // Open questions take for granted and state nothing
    "Why does it double our storage?",
    "How does the cache work in forks?",
    // Lower case: no instruction
    "No Dockerfile needs to copy much.",
    "All Dockerfiles use COPY.",
    "I will add a Dockerfile.",
    "It doubles our storage budget.",
    "The storage will double the fun.",
    // The words of a claim, another matter
    "This fixes a typo in the runner configuration.",
    "It fixes the runner tags.",
    "You must log in to GitLab to comment.",
    "There is no need to log in to see the page.",
    "The server requires authentication on the push but not on the fetch.",
    "We no longer need to look after our own credentials for the mirror.",
    "It drops the compression to prevent an out of memory error for large images.",
    "The job fails for forks because it logs in.",
    "The test is about OOM kills in images.",
    "Using our CI time wisely matters.",
    "It saves us having to compute the digest.",
    "Caching works in the maintained fork of kaniko.",
    "The cache fails when we fork a process.",
    "Each change adds a test for the registry client.",
    "Every update keeps the copyright.",
    "No Dockerfile uses COPY in libvirt.",
    "It doubles the storage for Xen.",
    "base.docker uses COPY --from only.",
    // Runners that somebody else mended
    "He has reverted the changes to the runner which caused us problems.",
    "Docker in Docker is still a documented option for GitLab.",
  ])("%s", (sentence) => {
    expect(read(sentence)).toStrictEqual([]);
  });
});

describe("texts that are not the author's own prose", () => {
  const CLAIM = "It doubles our storage.";

  it.each([
    ["a quote", `> ${CLAIM}\n\nNo.\n`],
    ["a deep quote", `> > ${CLAIM}\n>> ${CLAIM}\n`],
    ["a signature", `Regards\n-- \n${CLAIM}\n`],
    ["a fenced code block", `See:\n\n\`\`\`\n${CLAIM}\n\`\`\`\n`],
    ["an indented code block", `See:\n\n    ${CLAIM}\n\tIt doubles our storage.\n`],
    ["inline code", `Run \`echo ${CLAIM}\` first.\n`],
    ["a hidden comment", `Hello <!-- ${CLAIM} --> there.\n`],
    ["a diff", `Like so:\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+${CLAIM}\n ${CLAIM}\n`],
    [
      "the notes behind a commit message",
      `ci: x\n---\n${CLAIM}\n x | 2 +-\n 1 file changed\n\ndiff --git a/x b/x\n`,
    ],
    ["a forwarded message", `FYI\n\n-----Original Message-----\n${CLAIM}\n`],
    ["an open quotation mark", `He wrote: "${CLAIM}\n`],
  ])("%s", (_, body) => {
    expect(read(body)).toStrictEqual([]);
  });

  it("are parted from the prose around them", () => {
    const body = `> Is it good?\n\n${CLAIM}\n\ndiff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\nThe cache also works in forks.\n-- \nAda\n`;
    expect(read(body)).toStrictEqual(["storage 2", "cache in forks works"]);
  });

  it("do not put a sentence together across a quote", () => {
    expect(read(`It doubles\n> a\nour storage.\n`)).toStrictEqual([]);
    expect(read(`It doubles\nour\nstorage.\n`)).toStrictEqual(["storage 2"]);
  });

  it("list items stand alone, and markup is none of the words", () => {
    expect(read("- It doubles **our** storage\n- cheap\n\n# Caching\n1. Forks get no cache\n")).toStrictEqual(
      ["storage 2", "cache in forks fails"],
    );
  });
});
