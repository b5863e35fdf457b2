import { placeOfImage } from "./places.ts";
import { isFloating, jobImages } from "./recipe-flags.ts";
import type { Check } from "./types.ts";
import { splitReference } from "../domain/image-reference.ts";

const ARCHIVED = /^gcr\.io\/kaniko-project\/executor$/;

/**
 * The image of kaniko's original. Its repository was archived on 2025-06-03 with v1.24.0 of 2025-05-22 as the last
 * release (README of GoogleContainerTools/kaniko, "Add archive notice"); GitLab's documentation has no page on kaniko any more.
 */
export const archivedBuilderImage: Check = {
  id: "archived-builder-image",
  remarks: (reading) =>
    reading.pairs.flatMap(({ base, head }) => {
      const before = jobImages(base);
      const images = new Set(jobImages(head).filter((image) => !before.includes(image)));
      return [...images].flatMap((image) => {
        const { repository, tag } = splitReference(image);
        const place = ARCHIVED.test(repository) ? placeOfImage(reading, head, image) : null;
        if (place === null) return [];
        const floats = isFloating(image) ? `, and the tag ${tag ?? "latest"} names no version` : "";
        return [
          {
            job: head.job,
            place,
            subject: null,
            say: () =>
              `${repository} is no longer maintained: it was archived on 2025-06-03, v1.24.0 is its last release${floats}`,
            why: "README of GoogleContainerTools/kaniko (archive notice of 2025-06-03). Forks go on: osscontainertools/kaniko with images, chainguard-dev/kaniko with sources.",
          },
        ];
      });
    }),
};
