import { and, count, desc, eq, gt, lt, ne, notInArray, or, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { knownDevices } from '../../db/schema/credentials.ts'

interface KnownDevice {
  userId: UserId
  deviceHash: string
}

export type DeviceRepository = ReturnType<typeof createDeviceRepository>

export const createDeviceRepository = () => ({
  async deleteOf(userId: UserId, executor: Executor): Promise<void> {
    await executor.delete(knownDevices).where(eq(knownDevices.userId, userId))
  },

  /** @returns whether it was not known before */
  async put({ userId, deviceHash }: KnownDevice, at: Date, executor: Executor): Promise<boolean> {
    const [row] = await executor
      .insert(knownDevices)
      .values({ userId, deviceHash, firstSeenAt: at, lastSeenAt: at })
      .onConflictDoUpdate({ target: [knownDevices.userId, knownDevices.deviceHash], set: { lastSeenAt: at } })
      // A row that this statement has inserted has no one who updated it.
      .returning({ inserted: sql<boolean>`${sql.identifier('xmax')} = 0` })
    return row?.inserted === true
  },

  /** Beside this one: how many there are, and how many of them were not known before `since`. */
  async countOthers({ userId, deviceHash }: KnownDevice, since: Date, executor: Executor): Promise<{ others: number; newOthers: number }> {
    const areOthers = and(eq(knownDevices.userId, userId), ne(knownDevices.deviceHash, deviceHash))
    const [counts] = await executor
      .select({ others: count(), newOthers: sql<number>`count(*) filter (where ${gt(knownDevices.firstSeenAt, since)})` })
      .from(knownDevices)
      .where(areOthers)
    return counts ?? { others: 0, newOthers: 0 }
  },

  /** Those of one user that were last seen before `before`, and all but the last `kept`. */
  async forget(userId: UserId, { before, kept }: { before: Date; kept: number }, executor: Executor): Promise<void> {
    const last = executor
      .select({ deviceHash: knownDevices.deviceHash })
      .from(knownDevices)
      .where(eq(knownDevices.userId, userId))
      .orderBy(desc(knownDevices.lastSeenAt))
      .limit(kept)
    const isForgotten = or(lt(knownDevices.lastSeenAt, before), notInArray(knownDevices.deviceHash, last))
    await executor.delete(knownDevices).where(and(eq(knownDevices.userId, userId), isForgotten))
  },
})
