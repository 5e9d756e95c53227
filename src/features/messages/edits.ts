import { isDeepStrictEqual } from 'node:util'
import type { MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Metadata } from '../../../openapi/shared/scalars.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { MessageRow, MessageVersionRow } from '../../db/schema/messages.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import { asSeenFrom } from '../../message-visibility.ts'
import { decodeCursor, notOurs, rowPage } from '../../pagination.ts'
import type { MessageEntity, Topics } from '../../topics.ts'
import type { ChangeMessage, Held } from './change-message.ts'
import type { MessageChangeRepository } from './change-repository.ts'
import type { Mentioned } from './completion.ts'
import { strangersAmong } from './mentions.ts'
import { mayEdit, requireChangeable } from './policy.ts'
import { publishMentions } from './publication.ts'

interface Dependencies {
  changes: Pick<MessageChangeRepository, 'locate' | 'versions'>
  changeMessage: ChangeMessage
  topics: Pick<Topics, 'publish'>
  clock: Clock
}

export interface Edit {
  content?: string | undefined
  metadata?: Metadata | undefined
  mentions?: UserId[] | undefined
}

interface VersionPage {
  items: MessageVersionRow[]
  nextCursor: string | null
}

/** What comes of an edit. */
interface Edited {
  message: MessageEntity
  /** Who was never mentioned in it before. */
  mentioned: Mentioned[]
}

export function messageEdits({ changes, changeMessage, topics, clock }: Dependencies) {
  /** Who is new in a message, and in all that it has said before, is told; others would be called again and again. */
  const toTell = async ({ locked, message: { seq, senderId } }: Held, added: ReadonlyMap<UserId, number>): Promise<Mentioned[]> => {
    if (added.size === 0) return []
    const before = await locked.mentionedBefore(seq)
    const isNew = ({ userId, firstSeq }: Mentioned) => firstSeq <= seq && userId !== senderId && !before.has(userId)
    return [...added].map(([userId, firstSeq]) => ({ userId, firstSeq })).filter(isNew)
  }

  const edit = async (
    held: Held,
    { content = held.message.content, metadata = held.message.metadata, mentions = held.message.mentions }: Edit,
  ): Promise<Edited> => {
    const { locked, message, member } = held
    if (!mayEdit(member.userId, message)) throw new AppError('forbidden', 'Only its sender can edit a message.')
    requireChangeable(locked.conversation, member, message)
    if (content === '' && message.attachments === null) throw invalidField('body.content', 'may be empty only where there are attachments')
    const added = mentions.filter((userId) => !message.mentions.includes(userId))
    const firstSeqs = await locked.firstSeqsOf(added)
    if (firstSeqs.size < added.length) throw strangersAmong(mentions, [...firstSeqs.keys(), ...message.mentions])
    const { seq } = message
    const set = { content, metadata, mentions }
    if (changesNothing(message, set)) return { message: await locked.entity(seq), mentioned: [] }
    if ((await locked.keepVersion(message)) > maximumVersions) throw new AppError('conflict', `A message can be edited at most ${maximumVersions} times.`)
    await locked.write([seq], { ...set, editedAt: new Date(Math.max(clock.now().getTime(), (message.editedAt ?? message.createdAt).getTime())) })
    return { message: await locked.entity(seq), mentioned: await toTell(held, firstSeqs) }
  }

  return {
    /**
     * Changes what a message says; what it said is kept.
     * @throws `not_found`, `forbidden` for anybody but the sender and for one who is blocked, `conflict` when it is deleted or was edited too often, or
     * the conversation is not active, `validation_error` for mentions of those who are no members
     */
    async update(actor: Actor, messageId: MessageId, fields: Edit): Promise<MessageEntity> {
      const { message, mentioned, forSender } = await changeMessage(actor, messageId, async (held) => {
        const edited = await edit(held, fields)
        return { ...edited, forSender: asSeenFrom(held.member.firstSeq, edited.message) }
      })
      publishMentions(topics, message, mentioned)
      return forSender
    },

    /** What it said before, the latest first. @throws `not_found` when the actor does not see it */
    async listHistory(
      actor: Actor,
      messageId: MessageId,
      { cursor, limit = 20 }: { cursor?: string | undefined; limit?: number | undefined },
    ): Promise<VersionPage> {
      const [before] = cursor === undefined ? [latest] : decodeCursor(cursor, ['number'])
      if (before < 1 || before > latest) throw notOurs()
      const place = await changes.locate(actor.userId, messageId)
      if (place === undefined) throw new AppError('not_found')
      const rows = await changes.versions(place, before, limit + 1)
      const { rows: items, nextCursor } = rowPage(rows, limit, ({ version }) => [version])
      return { items, nextCursor }
    },
  }
}

/** All are kept. */
const maximumVersions = 100

/** More than any version has: the column's last number. */
const latest = 2_147_483_647

const changesNothing = (message: MessageRow, set: Pick<MessageRow, 'content' | 'metadata' | 'mentions'>): boolean =>
  message.content === set.content && isDeepStrictEqual(message.metadata, set.metadata) && isDeepStrictEqual(message.mentions, set.mentions)
