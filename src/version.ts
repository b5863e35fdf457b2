/** Version of this program, as package.json states it; a test holds the two together. */
export const TARE_VERSION = "0.1.0";
