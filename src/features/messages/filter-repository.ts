import type { Message, MessageStatus, MessageType } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { messageText } from '../../db/json.ts'
import { messageStatus } from '../../db/message-status.ts'
import type { JsonText } from '../../json-text.ts'
import type { Range } from './repository.ts'

/** What no index knows of. */
export interface MessageFilter {
  status?: MessageStatus | undefined
  type?: MessageType | undefined
  senderId?: UserId | undefined
}

/** What of a conversation its reader may see. */
export interface Reader {
  firstSeq: number
  lastSeq: number
  memberCount: number
}

interface Matching {
  items: JsonText<Message[]>
  count: number
  /** `seq` of the last item, null when there is none. */
  lastSeq: number | null
}

export type FilterRepository = ReturnType<typeof createFilterRepository>

export const createFilterRepository = ({ pool }: Pick<Database, 'pool'>) => ({
  /** @returns undefined when there is no such member. */
  async reader(readerId: UserId, conversationId: ConversationId): Promise<Reader | undefined> {
    const { rows } = await pool.query<Reader>({ name: 'reader', text: readerStatement, values: [conversationId, readerId] })
    return rows[0]
  },

  /** Of the messages that were stored at a time or later, the number of the first; one more than the newest has when there is none. */
  async firstSeqFrom(conversationId: ConversationId, time: Date): Promise<number> {
    const { rows } = await pool.query<{ seq: number }>({ name: 'seq-at-time', text: searchStatement, values: [conversationId, time] })
    return rows[0]?.seq ?? 0
  },

  /** Those between two positions that fit; every one of them is looked at until there are enough. */
  async matching(
    { firstSeq }: Pick<Reader, 'firstSeq'>,
    conversationId: ConversationId,
    { order, afterSeq, beforeSeq, limit }: Range,
    filter: MessageFilter,
  ): Promise<Matching> {
    const direction = order === 'ascending' ? 'asc' : 'desc'
    const { rows } = await pool.query<Matching>({
      text: `
        select coalesce('[' || string_agg(item, ',') || ']', '[]') as items, count(*) as count, ${order === 'ascending' ? 'max' : 'min'}(seq) as "lastSeq"
        from (select m.seq, ${messageText('m', '$8::bigint')} as item from messages m where ${isBetween} and ${fits} order by m.seq ${direction} limit $7) item`,
      values: [...valuesOf(conversationId, { afterSeq, beforeSeq }, filter), limit, firstSeq],
    })
    return rows[0] ?? { items: '[]', count: 0, lastSeq: null }
  },

  /** How many of those between two positions fit; every one of them is looked at. */
  async count(conversationId: ConversationId, range: Pick<Range, 'afterSeq' | 'beforeSeq'>, filter: MessageFilter): Promise<number> {
    const { rows } = await pool.query<{ count: number }>({
      text: `select count(*) as count from messages m where ${isBetween} and ${fits}`,
      values: valuesOf(conversationId, range, filter),
    })
    return rows[0]?.count ?? 0
  },
})

const readerStatement = `
  select greatest(c.first_seq, me.first_seq) as "firstSeq", c.last_seq as "lastSeq", c.member_count as "memberCount"
  from members me join conversations c on c.id = me.conversation_id where me.conversation_id = $1 and me.user_id = $2 and me.left_at is null`

const isBetween = 'm.conversation_id = $1 and m.seq > $2 and m.seq < $3'

/** In an order in which the cheaper ones come first. */
const fits = `($4::text is null or m.type = $4) and ($5::uuid is null or m.sender_id = $5)
  and case when $6::text is null then true else ${messageStatus('m')} = $6 end`

const valuesOf = (
  conversationId: ConversationId,
  { afterSeq, beforeSeq }: Pick<Range, 'afterSeq' | 'beforeSeq'>,
  { type, senderId, status }: MessageFilter,
) => [...[conversationId, afterSeq, beforeSeq], ...[type ?? null, senderId ?? null, status ?? null]]

/** Times never go back within a conversation, so each look halves what is left. */
const searchStatement = `
  with recursive search (low, high) as (
    select first_seq, last_seq + 1 from conversations where id = $1
    union all
    select case when m.created_at < $2 then m.seq + 1 else low end, case when m.created_at < $2 then high else m.seq end
    from search join messages m on m.conversation_id = $1 and m.seq = (low + high) / 2
    where low < high
  )
  select low as seq from search where low = high`
