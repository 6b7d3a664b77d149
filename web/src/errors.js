/** A file or text that cannot be read; the message is one sentence that a person can act on. */
export class BitstreamError extends Error {}
