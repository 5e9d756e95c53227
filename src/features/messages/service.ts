import type { GetMessageResult } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, FileId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Metadata } from '../../../openapi/shared/scalars.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { JsonText } from '../../json-text.ts'
import type { MessageEntity, Topics } from '../../topics.ts'
import type { ConversationService } from '../conversations/service.ts'
import { messageChanging } from './change-message.ts'
import type { MessageChangeRepository } from './change-repository.ts'
import { type FileDiscard, messageDeletion } from './deletion.ts'
import { messageEdits } from './edits.ts'
import type { FilterRepository } from './filter-repository.ts'
import { messageLists } from './lists.ts'
import { strangersAmong } from './mentions.ts'
import type { ReactionRepository } from './reaction-repository.ts'
import { messageReactions } from './reactions.ts'
import { messageReferences, unanswerable } from './references.ts'
import type { MessageRepository } from './repository.ts'

interface Dependencies {
  messages: MessageRepository
  filters: FilterRepository
  changes: MessageChangeRepository
  reactions: ReactionRepository
  conversations: Pick<ConversationService, 'openDirect' | 'refusal'>
  files: FileDiscard
  topics: Pick<Topics, 'publish'>
  clock: Clock
  newId: NewId
}

interface MessageFields {
  /** May be empty where there are attachments. */
  content?: string | undefined
  /** Files of the sender's that were not sent yet. */
  attachments?: FileId[] | undefined
  /** A message of the same conversation. */
  replyTo?: MessageId | undefined
  mentions?: UserId[] | undefined
  /** Idempotency by (sender, any string the caller chose), for as long as the message exists. */
  clientId?: string | undefined
  metadata?: Metadata | undefined
}

export type MessageService = ReturnType<typeof createMessageService>

export function createMessageService(dependencies: Dependencies) {
  const { messages, conversations, clock, newId } = dependencies
  const changeMessage = messageChanging(dependencies)
  const { resolve } = messageReferences(dependencies)

  /** Nobody's conversation is made or reopened for a message that was sent already, or cannot be sent: what can be known of that is asked first. */
  const isNewAndGood = async (actor: Actor, recipientId: UserId, found: ConversationId | undefined, fields: MessageFields): Promise<boolean> => {
    const { replyTo, mentions = [], clientId, attachments = [] } = fields
    if (clientId !== undefined && (await messages.isKnown(actor.userId, clientId))) return false
    const pair = [actor.userId, recipientId]
    if (!mentions.every((userId) => pair.includes(userId))) throw strangersAmong(mentions, pair)
    if (found !== undefined) await resolve(actor, found, { replyTo, mentions, clientId })
    else if (replyTo !== undefined) throw unanswerable()
    try {
      await messages.requireFiles(actor.userId, attachments)
    } catch (error) {
      // The same one may have been sent with them meanwhile.
      if (clientId !== undefined && (await messages.isKnown(actor.userId, clientId))) return false
      throw error
    }
    return true
  }

  const service = {
    ...messageLists(dependencies),
    ...messageEdits({ ...dependencies, changeMessage }),
    ...messageDeletion({ ...dependencies, changeMessage }),
    ...messageReactions({ ...dependencies, changeMessage }),

    /**
     * Stores a message; a retry with the same `clientId` returns the first result.
     * @throws `not_found` when the actor is no member, `forbidden` when the other one has blocked the actor, `conflict` when the conversation is not
     * active or the `clientId` stands for a message of another one, `validation_error` for what cannot be answered, mentions of those who are no members,
     * files that are not the actor's or were sent already, and for a message of nothing
     */
    async send(
      actor: Actor,
      { conversationId, content = '', attachments = [], metadata = {}, clientId, ...named }: MessageFields & { conversationId: ConversationId },
    ): Promise<MessageEntity> {
      requireContent({ content, attachments })
      const references = await resolve(actor, conversationId, { ...named, clientId })
      const message = {
        id: newId<MessageId>(),
        conversationId,
        senderId: actor.userId,
        clientId: clientId ?? null,
        content,
        metadata,
        createdAt: clock.now(),
        ...references,
      }
      const result = attachments.length === 0 ? await messages.insert(message) : await messages.insertWithFiles(message, attachments)
      if (result === 'refused') throw await conversations.refusal(actor, conversationId)
      if (result === 'other_conversation') throw new AppError('conflict', 'This clientId stands for a message of another conversation.')
      return result.forSender
    },

    /** To a user: the direct conversation is found or made. @throws as `send` does, `not_found` also when there is no such user, `conflict` when it is the actor. */
    async sendDirect(actor: Actor, { recipientId, ...fields }: MessageFields & { recipientId: UserId }): Promise<MessageEntity> {
      if (recipientId === actor.userId) throw new AppError('conflict', 'You cannot write to yourself.')
      requireContent(fields)
      const { conversationId } = await conversations.openDirect(actor, recipientId, (found) => isNewAndGood(actor, recipientId, found, fields))
      return service.send(actor, { conversationId, ...fields })
    },

    /** Whether the actor has sent something under this `clientId`. */
    isSent: ({ userId }: Actor, clientId: string): Promise<boolean> => messages.isKnown(userId, clientId),

    /** As JSON, with how far it has come. @throws `not_found` when the actor does not see it */
    async view(actor: Actor, messageId: MessageId): Promise<JsonText<GetMessageResult>> {
      const text = await messages.view(actor.userId, messageId)
      if (text === undefined) throw new AppError('not_found')
      return text
    },
  }

  return service
}

function requireContent({ content = '', attachments = [] }: MessageFields): void {
  if (content === '' && attachments.length === 0) throw invalidField('body.content', 'is required where there are no attachments')
}
