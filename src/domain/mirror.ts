/** Another registry that base images of one registry are pulled from. */
export type Mirror = {
  /** Host of the registry as image names have it: `docker.io`, `quay.io`. */
  registry: string;
  /** host or host:port of the mirror. */
  host: string;
  /** True where it speaks HTTP. */
  insecure: boolean;
};
