/**
 * What is read of messages after the statement that stored them: its snapshot is older than its locks, and neither an original that was deleted in
 * between may be shown, nor may anybody be told of a mention who was removed in between. Most messages need none of it.
 */
import type { ReplyTo } from '../../../openapi/messages/schemas.ts'
import type { MessageId, UserId } from '../../../openapi/shared/ids.ts'
import { replyToJson } from '../../db/json.ts'
import { asSeenFrom } from '../../message-visibility.ts'
import type { MessageEntity } from '../../topics.ts'
import type { Inserted, Queryable, Refusal } from './insertion.ts'

/** Somebody who is mentioned, and from which message on they see messages. */
export interface Mentioned {
  userId: UserId
  firstSeq: number
}

export interface Written extends Inserted {
  /** As its sender may see it. */
  forSender: MessageEntity
  /** Who is to be told: the others of those who are mentioned, as far as they are members and see the message. */
  mentioned: Mentioned[]
}

/** What a send came to: stored now or earlier, or why not. */
export type WriteResult = Written | Refusal

/** What is true of a message that refers to nothing. @returns undefined for one of which something has to be read */
export function knownAtOnce(result: Inserted | Refusal): WriteResult | undefined {
  if (typeof result === 'string') return result
  const { message, created } = result
  return created && message.replyToSeq === null && message.mentions.length === 0 ? { ...result, forSender: message, mentioned: [] } : undefined
}

/** @returns what came of each, in order. */
export async function complete(client: Queryable, inserted: readonly (Inserted | Refusal)[]): Promise<WriteResult[]> {
  const ids = inserted.flatMap((result) => (typeof result === 'string' || knownAtOnce(result) !== undefined ? [] : [result.message.id]))
  const read = ids.length === 0 ? new Map<MessageId, CompletionRow>() : await readCompletions(client, ids)
  return inserted.map((result) => knownAtOnce(result) ?? (typeof result === 'string' ? result : completed(result, read.get(result.message.id))))
}

interface CompletionRow {
  id: MessageId
  replyTo: ReplyTo | null
  /** Null for a sender who is no member any more. */
  firstSeq: number | null
  mentioned: Mentioned[]
}

async function readCompletions(client: Queryable, ids: MessageId[]): Promise<Map<MessageId, CompletionRow>> {
  const { rows } = await client.query<CompletionRow>({ name: 'completions', text: completionStatement, values: [ids] })
  return new Map(rows.map((row) => [row.id, row]))
}

/** Whoever sends something again, and is no member any more or came back later than it, learns nothing of what others did with it since. */
function completed({ created, message: stored }: Inserted, { replyTo, firstSeq, mentioned }: Omit<CompletionRow, 'id'> = gone): Written {
  const message = { ...stored, replyTo }
  const isSeen = firstSeq !== null && firstSeq <= message.seq
  const forSender = isSeen ? asSeenFrom(firstSeq, message) : { ...message, replyTo: null, reactions: null }
  return { message, created, forSender, mentioned }
}

/** By retention, since it was stored. */
const gone = { replyTo: null, firstSeq: null, mentioned: [] }

const completionStatement = `
  select m.id, ${replyToJson('m')} as "replyTo",
    (select first_seq from members where conversation_id = m.conversation_id and user_id = m.sender_id and left_at is null) as "firstSeq",
    coalesce((select json_agg(json_build_object('userId', o.user_id, 'firstSeq', o.first_seq)) from members o
      where o.conversation_id = m.conversation_id and o.user_id = any(m.mentions) and o.user_id <> m.sender_id
        and o.left_at is null and o.first_seq <= m.seq), '[]') as mentioned
  from messages m where m.id = any($1::uuid[])`
