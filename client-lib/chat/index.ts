/**
 * Chat: texts, and data of applications, between those who are in a call, end-to-end encrypted like
 * media, over each one's `chat` track. Transport-free: bytes go out by `publish` and come in by `receive`.
 *
 * What is promised
 * - **Order**: the texts and data of one sender come in the order in which they were sent, each at most
 *   once.
 *   Between senders there is no common order: two members may see two people's texts the other way
 *   round. `sentAt` is the sender's clock.
 * - **Delivery**: each receiver acknowledges on its own `chat` track what it has handed to its page, and
 *   the sender learns to how many of those who were there its text has come. A text that somebody does
 *   not acknowledge is sent again, four times within 15 s; what is missing then stays missing, and what
 *   comes behind it waits 5 s at most.
 * - **Newcomers get nothing old**: a text is encrypted for the epoch in which it is sent, and is not sent
 *   again once somebody is there who was not.
 * - **Limits**: 4000 bytes of UTF-8 a text; 16 KiB of data a message unless set otherwise, 64 KiB at most;
 *   5 messages and 64 KiB a second, 10 and 256 KiB at once from each sender; receivers hold senders to
 *   about that, too.
 * - **Later versions**: a kind of message that is not known is ignored.
 *
 * What it does not do: keep a history, or say who of the members acknowledged.
 */

export { Chat, type ChatOptions } from './chat.ts'
export { DEFAULT_DATA_BYTES, MOST_DATA_BYTES } from './data.ts'
export { ChatError, type ChatErrorCode } from './errors.ts'
export type { ChatData, ChatDelivery, ChatText, ReceivedData, ReceivedText } from './types.ts'
