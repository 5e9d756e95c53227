import { and, desc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, InviteId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { conversations, type InviteRow, invites, members } from '../../db/schema/conversations.ts'
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
    await sweep(invites, invites.id, sql`${eq(invites.conversationId, invite.conversationId)} and (${isExpired(invite.createdAt)} or ${isUsedUp})`, tx)
    return one(await tx.insert(invites).values(invite).returning())
  },

  async countOf(conversationId: ConversationId, now: Date, tx: Executor): Promise<number> {
    return tx.$count(invites, and(eq(invites.conversationId, conversationId), sql`not ${isExpired(now)} and not ${isUsedUp}`))
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

  /** @returns undefined when the user is no member. */
  async findMember(conversationId: ConversationId, userId: UserId): Promise<{ role: MemberRole; allowInvites: boolean } | undefined> {
    const [row] = await db
      .select({ role: members.role, allowInvites: conversations.allowInvites })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.conversationId, conversationId), eq(members.userId, userId), isNull(members.leftAt)))
    return row
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

/** Of an invite and its conversation: as long as whoever made it may make it. */
const works = (now: Date): SQL<boolean> => sql<boolean>`(not ${isExpired(now)} and not ${isUsedUp}
  and ${conversations.status} = 'active' and exists (
    select from ${members} where ${members.conversationId} = ${invites.conversationId} and ${members.userId} = ${invites.createdBy} and ${members.leftAt} is null
      and (${conversations.allowInvites} or ${members.role} = any(${sql.param([...permissions.invite])}::text[]))))`
