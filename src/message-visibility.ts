import type { MessageEntity } from './topics.ts'

/** Whether a message shows something of one that is older than what a member sees, who sees messages from `firstSeq` on. */
export const showsOlder = ({ replyTo }: MessageEntity, firstSeq: number): boolean => replyTo !== null && replyTo.seq < firstSeq

/** As if what it answers were gone. */
export const withoutOriginal = (message: MessageEntity): MessageEntity => ({ ...message, replyTo: null })

/** A message as it is for a member who sees those from `firstSeq` on. */
export const asSeenFrom = (firstSeq: number, message: MessageEntity): MessageEntity => (showsOlder(message, firstSeq) ? withoutOriginal(message) : message)
