export const MAX_TEXT_BYTES = 4000

/** Controls but for tab and line feed; and what turns the direction of text around it. */
const INVISIBLE = /(?![\t\n])\p{Cc}|[\u202a-\u202e\u2066-\u2069\ufeff]/gu

const utf8 = new TextEncoder()

/**
 * A text as it is sent and shown: well-formed, in NFC, with line feeds, without control characters and
 * bidirectional overrides, which could make a text look like another or reach out of its line. Markup
 * is text like any other: pages show it by `textContent`.
 */
export function cleanText(text: string): string {
  return text.toWellFormed().normalize('NFC').replace(/\r\n?/g, '\n').replace(INVISIBLE, '').trim()
}

/** A UTF-16 code unit is at least one byte of UTF-8: a huge text is refused without encoding it. */
export function isTooLong(text: string): boolean {
  return text.length > MAX_TEXT_BYTES || utf8.encode(text).length > MAX_TEXT_BYTES
}
