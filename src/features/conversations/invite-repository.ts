import { and, desc, eq, notExists, type SQL, sql } from 'drizzle-orm'
import type { ConversationId, InviteId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type ConversationRow, conversations, type InviteRow, invites, members } from '../../db/schema/conversations.ts'
import { isBefore, one, sweep } from '../../db/sql.ts'
import type { TimePosition } from '../../pagination.ts'
import { permissions } from './policy.ts'

export interface InvitedGroup {
  conversationId: ConversationId
  title: string | null
  description: string | null
  memberCount: number
  expiresAt: Date | null
  /** Whether it lets somebody in at this moment. */
  works: boolean
}

export type InviteRepository = ReturnType<typeof createInviteRepository>

export const createInviteRepository = (db: Executor) => ({
  /** Sweeps a few of the conversation that are of no use any more. */
  async insert(invite: Omit<InviteRow, 'uses'>, tx: Executor): Promise<InviteRow> {
    await sweep(invites, invites.id, sql`${eq(invites.conversationId, invite.conversationId)} and not ${isGood(invite.createdAt)}`, tx)
    return one(await tx.insert(invites).values(invite).returning())
  },

  /** Of those that work, while the conversation goes on. */
  async countOf(conversationId: ConversationId, now: Date, tx: Executor): Promise<number> {
    return tx.$count(invites, and(eq(invites.conversationId, conversationId), isGood(now)))
  },

  /** Those that work, the latest first; those of one maker where that is asked for. */
  async list(
    { conversationId, createdBy, now }: { conversationId: ConversationId; createdBy: UserId | undefined; now: Date },
    { after, limit }: { after: TimePosition | undefined; limit: number },
  ): Promise<InviteRow[]> {
    const found = await db
      .select({ invite: invites })
      .from(invites)
      .innerJoin(conversations, eq(conversations.id, invites.conversationId))
      .where(and(eq(invites.conversationId, conversationId), createdBy && eq(invites.createdBy, createdBy), works(now), isBefore(invites, after)))
      .orderBy(desc(invites.createdAt), desc(invites.id))
      .limit(limit)
    return found.map(({ invite }) => invite)
  },

  async find(conversationId: ConversationId, inviteId: InviteId, tx: Executor): Promise<InviteRow | undefined> {
    const [row] = await tx
      .select()
      .from(invites)
      .where(and(eq(invites.id, inviteId), eq(invites.conversationId, conversationId)))
    return row
  },

  async findByCode(code: string, now: Date, executor: Executor = db): Promise<InvitedGroup | undefined> {
    const [row] = await executor
      .select({
        conversationId: invites.conversationId,
        title: conversations.title,
        description: conversations.description,
        memberCount: conversations.memberCount,
        expiresAt: invites.expiresAt,
        works: works(now),
      })
      .from(invites)
      .innerJoin(conversations, eq(conversations.id, invites.conversationId))
      .where(eq(invites.code, code))
    return row
  },

  /** Under the lock of the conversation, so that the count is exact. */
  async countUse(code: string, tx: Executor): Promise<void> {
    await tx
      .update(invites)
      .set({ uses: sql`${invites.uses} + 1` })
      .where(eq(invites.code, code))
  },

  async delete(inviteId: InviteId, tx: Executor): Promise<void> {
    await tx.delete(invites).where(eq(invites.id, inviteId))
  },
})

const isExpired = (now: Date): SQL => sql`coalesce(${invites.expiresAt} <= ${now.toISOString()}::timestamptz, false)`

const isUsedUp = sql`coalesce(${invites.uses} >= ${invites.maxUses}, false)`

const isGood = (now: Date): SQL => sql`(not ${isExpired(now)} and not ${isUsedUp})`

/** Of an invite and its conversation. */
const works = (now: Date): SQL<boolean> => sql<boolean>`(${isGood(now)} and ${conversations.status} = 'active')`

/** Of those who may not invite any more: not for a while, so that none comes back to life unseen. To be called, under the lock, whenever that may have come about. */
export async function endInvites({ id, allowInvites }: Pick<ConversationRow, 'id' | 'allowInvites'>, tx: Executor): Promise<void> {
  const mayInvite = sql`${members.leftAt} is null and (${allowInvites} or ${members.role} = any(${sql.param([...permissions.invite])}::text[]))`
  const isOfMaker = and(eq(members.conversationId, id), eq(members.userId, invites.createdBy))
  await tx.delete(invites).where(and(eq(invites.conversationId, id), notExists(tx.select().from(members).where(and(isOfMaker, mayInvite)))))
}
