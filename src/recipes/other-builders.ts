/** Words without which no script builds an image. */
export const BUILDERS =
  /docker|executor|kaniko|buildah|podman|buildctl|buildkit|buildx|nerdctl|\bimg\b|\bpack\b|earthly|\bko\b|skopeo|crane|skaffold|werf|\bs2i\b|\bdepot\b|jib|spring-boot:build-image|bootBuildImage|\baz\b.*\bacr\b|gcloud builds|apptainer|singularity|makisu|melange|apko/;

/** A call of a program that builds or pushes images, in a text: in a script, a Makefile, the arguments of a wrapper. */
export const CALLS_BUILDER = new RegExp(
  [
    // The program, or a variable that is named for it, then what it does.
    String.raw`(?:\b(?:docker|podman|nerdctl|buildah|img)|\$[({]?\w*(?:DOCKER|PODMAN|ENGINE|BUILDAH|RUNTIME|OCI|CONTAINER)\w*[)}]?)["']?` +
      String.raw`(?:\s|\\\n)+(?:-[^\s]+(?:\s|\\\n)+)*(?:(?:image|builder|buildx|compose|manifest)\s+)?` +
      String.raw`(?:build|bud|build-using-dockerfile|bake|buildx\s+b|commit|import|load|push|tag)\b`,
    String.raw`\bbuildctl(?:-daemonless\.sh)?\b[^\n]*\bbuild\b`,
    String.raw`kaniko/executor\b`,
    String.raw`\b(?:docker-compose|podman-compose)\b[^\n]*\b(?:build|push)\b`,
    String.raw`\bdocker\s+compose\b[^\n]*\b(?:build|push)\b`,
    String.raw`\bearthly\s|\bskaffold\s+(?:build|run)\b|\bpack\s+build\b|\bko\s+(?:build|publish|apply|resolve)\b`,
    String.raw`\bskopeo\s+copy\b|\bcrane\s+(?:push|append|mutate)\b|\bbuildah\s+(?:from|commit)\b`,
  ].join("|"),
);

/** Other programs that build images, the words that say so, and why none of them is read. */
export const OTHER_BUILDERS: readonly { program: RegExp; action: RegExp; why?: string }[] = [
  {
    program: /^buildah$/,
    action: /^(?:from|commit)$/,
    why: "an image that is made step by step has no Dockerfile",
  },
  {
    program: /^podman$/,
    action: /^(?:commit|import|image import)$/,
    why: "an image that is made without a Dockerfile is not read",
  },
  { program: /^(?:nerdctl|img)$/, action: /^(?:build|image build)$/ },
  { program: /^pack$/, action: /^build$/ },
  { program: /^ko$/, action: /^(?:build|publish|resolve|apply)$/ },
  { program: /^earthly$/, action: /./ },
  { program: /^skaffold$/, action: /^(?:build|run|dev|deploy)$/ },
  { program: /^werf$/, action: /^(?:build|converge|publish|build-and-publish)$/ },
  { program: /^s2i$/, action: /^build$/ },
  { program: /^depot$/, action: /^(?:build|bake)$/ },
  { program: /^makisu$/, action: /^build$/ },
  { program: /^(?:apko|melange)$/, action: /^(?:build|publish)$/ },
  { program: /^(?:apptainer|singularity)$/, action: /^build$/ },
  { program: /^az$/, action: /^acr build$/ },
  { program: /^gcloud$/, action: /^builds submit$/ },
  { program: /^(?:crane|regctl)$/, action: /^(?:append|mutate|image mod)$/ },
  {
    program: /^(?:mvn|mvnw|gradle|gradlew|sbt)$/,
    action:
      /jib|spring-boot:build-image|bootBuildImage|docker:publish|dockerBuild|docker:build|dockerfile:build/i,
  },
];
