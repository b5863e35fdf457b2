/** Bytes of a mail that are still parsed: what forges and mail servers let through. */
export const MAX_MAIL_BYTES = 26 * 1000 * 1000;
