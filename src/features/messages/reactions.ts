import { maximumEmojiCharacters, type UserReaction } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import { asSeenFrom } from '../../message-visibility.ts'
import { decodeCursor, latestMilliseconds, notOurs, type TextPage, textPage } from '../../pagination.ts'
import type { MessageEntity, Topics } from '../../topics.ts'
import type { ChangeMessage } from './change-message.ts'
import type { MessageChangeRepository } from './change-repository.ts'
import { requireChangeable } from './policy.ts'
import { publishChanges } from './publication.ts'
import { type ReactionPosition, type ReactionRepository, reactionSummary } from './reaction-repository.ts'

interface Dependencies {
  reactions: ReactionRepository
  changes: MessageChangeRepository
  changeMessage: ChangeMessage
  topics: Pick<Topics, 'publish'>
  clock: Clock
}

interface ListRequest {
  emoji?: string | undefined
  cursor?: string | undefined
  limit?: number | undefined
}

const maximumKinds = 20
const erasedAtOnce = 200

export function messageReactions({ reactions, changes, changeMessage, topics, clock }: Dependencies) {
  const eraseWithin = async (userId: UserId, conversationId: ConversationId, seqs: number[]): Promise<void> => {
    const changed = await changes.change(conversationId, async (locked, tx) => {
      const deleted = await reactions.deleteOf(userId, conversationId, seqs, tx)
      await locked.write(deleted.seqs, { reactions: reactionSummary(deleted.kinds) })
    })
    publishChanges(topics, changed?.changes ?? [])
  }

  return {
    /**
     * Reacts to a message; to have done so already is no change.
     * @throws `not_found`, `forbidden` for one who is blocked, `conflict` when the message is deleted, the conversation not active, or there are too many
     * kinds, `validation_error` for what is too long in NFC
     */
    addReaction(actor: Actor, messageId: MessageId, given: string): Promise<MessageEntity> {
      const emoji = composed(given, 'params.emoji')
      return changeMessage(actor, messageId, async ({ locked, message, member, tx }) => {
        requireChangeable(locked.conversation, member, message)
        const kinds = message.reactions ?? []
        if (kinds.length >= maximumKinds && !kinds.some((kind) => kind.emoji === emoji))
          throw new AppError('conflict', `A message has reactions of at most ${maximumKinds} kinds.`)
        const { conversationId, seq } = message
        const isNew = await reactions.insert({ conversationId, seq, emoji, userId: actor.userId, createdAt: clock.now() }, tx)
        if (isNew) await locked.write([seq], { reactions: reactionSummary([emoji]) })
        return asSeenFrom(member.firstSeq, await locked.entity(seq))
      })
    },

    /** Takes back one's own; what is not there is taken back already. @throws `not_found` when the actor does not see the message */
    async removeReaction(actor: Actor, messageId: MessageId, given: string): Promise<void> {
      const emoji = composed(given, 'params.emoji')
      await changeMessage(actor, messageId, async ({ locked, message, tx }) => {
        const wasThere = await reactions.delete(message, emoji, actor.userId, tx)
        if (wasThere) await locked.write([message.seq], { reactions: reactionSummary([emoji]) })
      })
    },

    /** Who reacted with what, kind by kind. @throws `not_found` when the actor does not see the message */
    async listReactions(actor: Actor, messageId: MessageId, { emoji, cursor, limit = 50 }: ListRequest): Promise<TextPage<UserReaction>> {
      const after = cursor === undefined ? undefined : positionOf(cursor)
      const place = await changes.locate(actor.userId, messageId)
      if (place === undefined) throw new AppError('not_found')
      const rows = await reactions.list(place, emoji === undefined ? undefined : composed(emoji, 'query.emoji'), after, limit + 1)
      return textPage(rows, limit, (last) => [last.emoji, last.milliseconds, last.userId])
    },

    /** Takes back all that a user has reacted with, some at a time. To be killed in the middle and done again is no harm. */
    async eraseReactions(userId: UserId): Promise<void> {
      for (;;) {
        const places = await reactions.some(userId, erasedAtOnce)
        if (places.length === 0) return
        const byConversation = Map.groupBy(places, ({ conversationId }) => conversationId)
        for (const [conversationId, found] of byConversation) {
          await eraseWithin(
            userId,
            conversationId,
            found.map(({ seq }) => seq),
          )
        }
      }
    },
  }
}

/** Some characters become several. @throws `validation_error` for what is too long then */
function composed(given: string, field: string): string {
  const emoji = given.normalize('NFC')
  if ([...emoji].length > maximumEmojiCharacters) throw invalidField(field, `must be at most ${maximumEmojiCharacters} characters in Unicode NFC`)
  return emoji
}

function positionOf(cursor: string): ReactionPosition {
  const [emoji, milliseconds, userId] = decodeCursor(cursor, ['string', 'number', 'id'])
  if (/[\p{Cc}\p{Cs}]/u.test(emoji) || milliseconds > latestMilliseconds) throw notOurs()
  return { emoji, milliseconds, userId }
}
