/** The two MoQT codes that a transport sets by itself. */

/** Reset code of streams that end because their session does (draft-18, Stream Reset Codes). */
export const STREAM_SESSION_CLOSED = 0x3

/** Session termination code for a fault on our side (draft-18, Termination). */
export const SESSION_INTERNAL_ERROR = 0x1
