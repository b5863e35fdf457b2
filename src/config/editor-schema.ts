import { z } from "zod";

/** JSON Schema (draft 2020-12) of a settings file as it is written, with the default of each key for editors to show. */
export function editorSchema(schema: z.ZodType, title: string): object {
  const written = z.toJSONSchema(schema, {
    io: "input",
    // zod leaves the default of a value out that is made into another: `8g` is a default of the text.
    override: ({ jsonSchema }) => {
      if (!("fallback" in jsonSchema)) return;
      jsonSchema.default = jsonSchema["fallback"];
      delete jsonSchema["fallback"];
    },
  });
  return { ...written, title };
}
