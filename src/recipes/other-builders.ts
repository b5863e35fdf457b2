/** Words without which no script builds an image. */
export const BUILDERS =
  /docker|executor|kaniko|buildah|podman|buildctl|buildkit|buildx|nerdctl|\bimg\b|\bpack\b|earthly|\bko\b|skopeo|crane|skaffold|werf|\bs2i\b|\bdepot\b|jib|spring-boot:build-image|bootBuildImage|\baz\b.{0,40}\bacr\b|gcloud builds|apptainer|singularity|makisu|nixpacks|devcontainer|container:push|melange|apko/;

/** Words of files and targets whose names say that they build images. */
export const TELLING_NAME = /docker|image|container|kaniko|buildah|podman|buildkit/i;

/** Words of a program that stand before what it does: flags, and variables that hold some. */
const BETWEEN = String.raw`\s+(?:(?:-\S+|\$[({]?\w+[)}]?)\s+){0,12}`;

/** A call of a program that builds or pushes images; every repetition is bounded, as anybody may write the text. */
const CALL = new RegExp(
  [
    // The program, or a variable that is named for it, then what it does.
    String.raw`(?:\b(?:docker|podman|nerdctl|buildah|img)|\$[({]?\w{0,40}(?:DOCKER|PODMAN|ENGINE|BUILDAH|RUNTIME|OCI|CONTAINER)\w{0,40}[)}]?)["']?` +
      BETWEEN +
      String.raw`(?:(?:image|builder|buildx|compose|manifest)\s+)?` +
      String.raw`(?:build|bud|build-using-dockerfile|bake|buildx\s+b|commit|import|load|push|tag)\b`,
    String.raw`\bbuildctl(?:-daemonless\.sh)?\b[^\n]{0,400}\bbuild\b`,
    String.raw`kaniko/executor\b`,
    String.raw`\b(?:docker-compose|podman-compose)\b[^\n]{0,200}\b(?:build|push)\b`,
    String.raw`\bdocker\s+compose\b[^\n]{0,200}\b(?:build|push)\b`,
    String.raw`\bearthly\s|\bskaffold\s+(?:build|run)\b|\bpack\s+build\b|\bko\s+(?:build|publish|apply|resolve)\b`,
    String.raw`\bskopeo\s+copy\b|\bcrane\s+(?:push|append|mutate)\b|\bbuildah\s+(?:from|commit)\b`,
    // The same in the lists of other languages: `["docker", "build"]`.
    String.raw`["'](?:docker|podman|buildah|buildctl)["']\s*,\s*["'](?:build|buildx|bud|push|image)["']`,
    String.raw`\bdocker\.from_env\b|\bimages\.build\(`,
  ].join("|"),
);

/** Whether a text of any language calls a builder: a script, a Makefile, the arguments of a wrapper. */
export function callsBuilder(text: string): boolean {
  return CALL.test(text.replaceAll("\\\n", " "));
}

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
  { program: /^(?:makisu|nixpacks|devcontainer)$/, action: /^build$/ },
  { program: /^heroku$/, action: /^container:(?:build|push)$/ },
  { program: /^(?:apko|melange)$/, action: /^(?:build|publish)$/ },
  { program: /^(?:apptainer|singularity)$/, action: /^build$/ },
  { program: /^az$/, action: /^acr build$/ },
  { program: /^gcloud$/, action: /^builds submit$/ },
  {
    program: /^(?:crane|regctl)$/,
    action: /^(?:append|mutate|flatten|rebase|image mod)$/,
    why: "an image is changed in the registry after it is built",
  },
  {
    program: /^(?:mvn|mvnw|gradle|gradlew|sbt)$/,
    action:
      /jib|spring-boot:build-image|bootBuildImage|docker:publish|dockerBuild|docker:build|dockerfile:build/i,
  },
];
