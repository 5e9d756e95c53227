/**
 * The statement that stores messages: a batch of them, of any conversations and senders, by itself or within a transaction.
 */
import type { Pool } from 'pg'
import { type JsonRow, messageEntityJson, parseMessage } from '../../db/json.ts'
import type { MessageEntity } from '../../topics.ts'

export type NewMessage = Pick<
  MessageEntity,
  'id' | 'conversationId' | 'senderId' | 'clientId' | 'content' | 'metadata' | 'replyToSeq' | 'mentions' | 'createdAt'
>

/** Why nothing was stored: the sender may not write there, or the `clientId` stands for a message of another conversation. */
export type Refusal = 'refused' | 'other_conversation'

/** Stored now or earlier; what it shows of the message that it answers is to be read yet. */
export interface Inserted {
  message: MessageEntity
  /** False when an earlier send with the same `clientId` had stored it. */
  created: boolean
}

/** Of one message: losing the same race again and again would take as many rivals. */
export const attempts = 5

/** The pool, or the connection of a transaction. */
export type Queryable = Pick<Pool, 'query'>

/** @returns what came of each, in order. */
export async function insertBatch(client: Queryable, batch: NewMessage[]): Promise<(Inserted | Refusal)[]> {
  const { rows } = await client.query<InsertedRow>({
    name: 'send-messages',
    text: insertStatement,
    values: [
      batch.map(({ conversationId }) => conversationId),
      batch.map(({ senderId }) => senderId),
      batch.map(({ id }) => id),
      batch.map(({ clientId }) => clientId),
      batch.map(({ content }) => content),
      batch.map(({ metadata }) => JSON.stringify(metadata)),
      batch.map(({ createdAt }) => createdAt),
      batch.map(({ replyToSeq }) => replyToSeq),
      batch.map(({ mentions }) => `{${mentions.join(',')}}`),
    ],
  })
  return batch.map((message, index) => inserted(message, rows[index]))
}

interface InsertedRow {
  seq: number | null
  changeSeq: number | null
  createdAt: Date | null
  earlier: JsonRow<MessageEntity> | null
}

function inserted(message: NewMessage, row: InsertedRow | undefined): Inserted | Refusal {
  if (row?.earlier) return row.earlier.conversationId === message.conversationId ? { message: parseMessage(row.earlier), created: false } : 'other_conversation'
  if (row === undefined || row.seq === null || row.changeSeq === null || row.createdAt === null) return 'refused'
  const { seq, changeSeq, createdAt } = row
  const plain = { type: 'text', replyTo: null, attachments: null, reactions: null, editedAt: null, deletedAt: null } as const
  return { message: { ...message, ...plain, seq, changeSeq, createdChangeSeq: changeSeq, createdAt }, created: true }
}

/**
 * A sender who was removed or blocked meanwhile has no row to be marked: `permitted` ends the statement then. What a conversation's status is
 * tells the row that is locked, as it is by then.
 */
const insertStatement = `
  with input as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::json[], $7::timestamptz[], $8::bigint[], $9::text[])
      with ordinality as i (conversation_id, sender_id, id, client_id, content, metadata, created_at, reply_to_seq, mentions, ord)
  ), earlier as (
    select i.ord, m.* from input i join messages m on m.sender_id = i.sender_id and m.client_id = i.client_id
  ), fresh as (
    select i.*, row_number() over in_order as position, max(i.created_at) over in_order as no_earlier
    from input i
    join members on members.conversation_id = i.conversation_id and members.user_id = i.sender_id and members.left_at is null
      and not members.blocked
    where not exists (select from earlier e where e.ord = i.ord)
    window in_order as (partition by i.conversation_id order by i.ord)
  ), locked as materialized (
    select id, last_seq, last_change_seq, updated_at from conversations where id in (select conversation_id from fresh) and status = 'active'
    order by id for no key update
  ), senders as (
    select f.conversation_id, f.sender_id, max(f.position) as position from fresh f join locked l on l.id = f.conversation_id
    group by f.conversation_id, f.sender_id
  ), marked as (
    update members m set read_seq = l.last_seq + s.position, read_ranges = '{}'
    from senders s join locked l on l.id = s.conversation_id
    where m.conversation_id = s.conversation_id and m.user_id = s.sender_id and m.left_at is null and not m.blocked
    returning m.user_id
  ), permitted as (
    select 1 / ((select count(*) from marked) = (select count(*) from senders))::int as whole
  ), advanced as (
    update conversations c
    set last_seq = l.last_seq + f.added, last_change_seq = l.last_change_seq + f.added, updated_at = greatest(l.updated_at, f.created_at)
    from (select conversation_id, count(*) as added, max(created_at) as created_at from fresh group by conversation_id) f
    join locked l on l.id = f.conversation_id
    where c.id = f.conversation_id
  ), inserted as (
    insert into messages (conversation_id, seq, change_seq, created_change_seq, id, sender_id, client_id, content, metadata, reply_to_seq, mentions, created_at)
    select f.conversation_id, l.last_seq + f.position, l.last_change_seq + f.position, l.last_change_seq + f.position, f.id, f.sender_id, f.client_id,
      f.content, f.metadata, f.reply_to_seq, f.mentions::uuid[], greatest(l.updated_at, f.no_earlier)
    from fresh f join locked l on l.id = f.conversation_id
    returning id, seq, change_seq, created_at
  )
  select n.seq, n.change_seq as "changeSeq", n.created_at as "createdAt", case when e.id is not null then ${messageEntityJson('e')} end as earlier
  from input i
  join permitted on permitted.whole = 1
  left join inserted n on n.id = i.id
  left join earlier e on e.ord = i.ord
  order by i.ord`
