/**
 * The hot path. What arrives together is written together, in a few lanes: each has one statement in flight, and what comes meanwhile
 * is its next batch. A conversation keeps to its lane, so its messages stay in order. The statement takes the batch as arrays, checks
 * membership, locks the conversations in id order (so that two processes never deadlock), advances their counters and inserts.
 * Each caller is answered after the commit that holds its message.
 *
 * The statement sees the database as it was when it began, and its locks come later. What another process did in between surfaces as
 * an error of the whole statement: the same `clientId` as a unique violation, a sender who was removed or blocked as a division by zero. Nothing
 * was written then and no number spent: the batch is split and tried again, so a bad item fails alone.
 */
import type { Pool } from 'pg'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import { isDivisionByZero, isUnavailable, isUniqueViolation } from '../../db/client.ts'
import { type JsonRow, messageEntityJson, parseMessage } from '../../db/json.ts'
import { AppError } from '../../errors/app-error.ts'
import type { MessageEntity } from '../../topics.ts'

export type NewMessage = Pick<
  MessageEntity,
  'id' | 'conversationId' | 'senderId' | 'clientId' | 'content' | 'metadata' | 'replyToSeq' | 'replyTo' | 'mentions' | 'createdAt'
>

/** Stored now or earlier, or why not: the sender may not write there, or the `clientId` stands for a message of another conversation. */
export type WriteResult = Written | 'refused' | 'other_conversation'

interface Waiting {
  message: NewMessage
  resolve(result: WriteResult): void
  reject(reason: unknown): void
}

export interface Written {
  message: MessageEntity
  /** False when an earlier send with the same `clientId` had stored it. */
  created: boolean
}

export interface WriterOptions {
  pool: Pool
  /**
   * Called after the commit, before the callers are answered, in the order of `seq` within each conversation. For a message that an
   * earlier send had stored, too: its answer may have been lost, and this process may not know of it.
   */
  onStored(written: Written): void
}

const laneCount = 2
const maximumBatch = 500
/** Of one lane. When the database stalls, more would only wait in memory until their senders have given up. */
const maximumWaiting = 5_000
/** Losing the same race again and again would take as many rivals as attempts. */
const attempts = 5

export function createMessageWriter(options: WriterOptions) {
  const lanes = Array.from({ length: laneCount }, () => createLane(options))

  return {
    /** @throws `unavailable` when too many wait already. */
    write(message: NewMessage): Promise<WriteResult> {
      const lane = lanes[laneOf(message.conversationId)]
      return new Promise((resolve, reject) => lane?.push({ message, resolve, reject }))
    },
  }
}

/** The end of a UUIDv7 is random. */
const laneOf = (conversationId: ConversationId): number => Number.parseInt(conversationId.slice(-4), 16) % laneCount

function createLane({ pool, onStored }: WriterOptions) {
  let queue: Waiting[] = []
  let running = false

  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      const { batch, rest } = nextBatch(queue)
      queue = rest
      await write(batch, attempts).catch((error: unknown) => {
        for (const { reject } of batch) reject(error)
      })
    }
    running = false
  }

  const write = async (batch: Waiting[], attemptsLeft: number): Promise<void> => {
    let rows: WrittenRow[]
    try {
      rows = await insertBatch(
        pool,
        batch.map(({ message }) => message),
      )
    } catch (error) {
      return writeApart(batch, attemptsLeft, error)
    }
    const results = batch.map(({ message }, index) => written(message, rows[index]))
    const stored = results.filter((result) => typeof result === 'object')
    for (const result of stored.sort((a, b) => a.message.seq - b.message.seq)) onStored(result)
    for (const [index, { resolve }] of batch.entries()) resolve(results[index] ?? 'refused')
  }

  const writeApart = async (batch: Waiting[], attemptsLeft: number, error: unknown): Promise<void> => {
    const lostRace = isUniqueViolation(error) || isDivisionByZero(error)
    if (isUnavailable(error) || (batch.length === 1 && !(lostRace && attemptsLeft > 1))) {
      for (const { reject } of batch) reject(error)
      return
    }
    const middle = Math.ceil(batch.length / 2)
    for (const part of [batch.slice(0, middle), batch.slice(middle)])
      if (part.length > 0) await write(part, batch.length === 1 ? attemptsLeft - 1 : attemptsLeft)
  }

  return {
    push(waiting: Waiting): void {
      if (queue.length >= maximumWaiting) return waiting.reject(new AppError('unavailable', undefined, { retryAfterSeconds: 1 }))
      queue.push(waiting)
      if (running) return
      running = true
      // After this turn of the event loop: what arrived with it goes with it.
      setImmediate(run)
    },
  }
}

/** The same `clientId` twice in one statement would violate its uniqueness for certain: the second waits for the next batch. */
function nextBatch(queue: readonly Waiting[]): { batch: Waiting[]; rest: Waiting[] } {
  const batch: Waiting[] = []
  const rest: Waiting[] = []
  const keys = new Set<string>()
  for (const waiting of queue) {
    const { senderId, clientId } = waiting.message
    const key = clientId === null ? undefined : `${senderId} ${clientId}`
    if (batch.length >= maximumBatch || (key !== undefined && keys.has(key))) rest.push(waiting)
    else {
      batch.push(waiting)
      if (key !== undefined) keys.add(key)
    }
  }
  return { batch, rest }
}

interface WrittenRow {
  seq: number | null
  changeSeq: number | null
  createdAt: Date | null
  earlier: JsonRow<MessageEntity> | null
}

function written(message: NewMessage, row: WrittenRow | undefined): WriteResult {
  if (row?.earlier) return row.earlier.conversationId === message.conversationId ? { message: parseMessage(row.earlier), created: false } : 'other_conversation'
  if (row === undefined || row.seq === null || row.changeSeq === null || row.createdAt === null) return 'refused'
  const { seq, changeSeq, createdAt } = row
  const plain = { type: 'text', attachments: null, reactions: null, editedAt: null, deletedAt: null } as const
  return { message: { ...message, ...plain, seq, changeSeq, createdChangeSeq: changeSeq, createdAt }, created: true }
}

async function insertBatch(pool: Pool, batch: NewMessage[]): Promise<WrittenRow[]> {
  const { rows } = await pool.query<WrittenRow>({
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
  return rows
}

/** A sender who was removed or blocked meanwhile has no row to be marked: `permitted` ends the statement then. */
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
    select id, last_seq, last_change_seq, updated_at from conversations where id in (select conversation_id from fresh) order by id for no key update
  ), senders as (
    select conversation_id, sender_id, max(position) as position from fresh group by conversation_id, sender_id
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
